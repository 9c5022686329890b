import keras
import tensorflow as tf


def q_loss(q_values, actions, targets):
    taken = tf.gather(q_values, tf.cast(actions, tf.int32), batch_dims=1)
    targets = tf.cast(targets, taken.dtype)
    return keras.losses.Huber()(targets[:, None], taken[:, None])
