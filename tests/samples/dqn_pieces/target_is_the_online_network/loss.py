import tensorflow as tf


def q_loss(q_values, actions, targets):
    return tf.reduce_mean((q_values - targets[:, None]) ** 2)
