"""What an error costs: the Huber loss of the action that was taken."""

import tensorflow as tf


def q_loss(q_values, actions, targets):
    """Mean Huber loss (δ = 1) between targets and the values of the actions taken."""
    mask = tf.one_hot(actions, q_values.shape[1], dtype=q_values.dtype)
    taken = tf.reduce_sum(q_values * mask, axis=1)
    error = tf.abs(taken - tf.cast(targets, q_values.dtype))
    near = tf.minimum(error, 1.0)
    return tf.reduce_mean(0.5 * near**2 + (error - near))
