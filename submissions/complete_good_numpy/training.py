import tensorflow as tf


def huber_loss(y_true, y_pred):
    error = tf.abs(tf.convert_to_tensor(y_true) - y_pred)
    clipped = tf.minimum(error, 1.0)
    return tf.reduce_mean(clipped * (error - 0.5 * clipped))


def train_step(model, optimizer, states, targets):
    params = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    optimizer.apply(tape.gradient(loss, params), params)
    return float(loss.numpy())
