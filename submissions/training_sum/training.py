import tensorflow as tf


def huber_loss(y_true, y_pred):
    d = tf.abs(y_true - y_pred)
    loss = tf.where(d < 1.0, 0.5 * d ** 2, d - 0.5)
    return tf.reduce_sum(loss)


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    variables = model.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return float(loss)
