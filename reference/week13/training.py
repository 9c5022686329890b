"""The loss of Deep Q-Learning and one step of gradient descent on it."""

import keras
import tensorflow as tf


def huber_loss(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Mean Huber loss with δ = 1.

    For an error e = y_true - y_pred the loss is e²/2 where |e| ≤ 1, and |e| - 1/2 beyond
    (Huber, Annals of Mathematical Statistics 35:73, 1964). Its slope is the error clipped to
    [-1, 1], which is the "error clipping" of Mnih et al., Nature 518:529 (2015), Methods.

    Args:
        y_true: Targets, any shape; numbers, arrays or tensors.
        y_pred: Predictions, of the same shape.

    Returns:
        The mean over all elements: a float32 scalar, differentiable in both arguments.

    Raises:
        ValueError: The shapes differ.
    """
    y_true = tf.cast(y_true, tf.float32)
    y_pred = tf.cast(y_pred, tf.float32)
    # (n,) and (n, 1) would broadcast to (n, n) and average the wrong errors without a word.
    y_true.shape.assert_is_compatible_with(y_pred.shape)

    error = tf.abs(y_true - y_pred)
    quadratic = tf.minimum(error, 1.0)
    # Where the error is large, quadratic is 1 and this reads 1/2 + (|e| - 1). Unlike a `where` over
    # both branches it never squares a large error, so neither value nor gradient can overflow.
    return tf.reduce_mean(0.5 * quadratic**2 + (error - quadratic))


def train_step(
    model: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    states: tf.Tensor,
    targets: tf.Tensor,
) -> float:
    """Takes one gradient step on the Huber loss of the model's predictions.

    Args:
        model: Maps states to predictions; its trainable variables are updated in place.
        optimizer: Any Keras optimizer.
        states: Batch of network inputs, shape (batch, ...).
        targets: What the model should have predicted, shape (batch, num_actions). They are
            constants: no gradient flows through them.

    Returns:
        The loss before the step.
    """
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states, training=True))
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)
    return float(loss)
