import tensorflow as tf


def huber_loss(y_true, y_pred):
    diff = y_pred - y_true
    is_small = tf.abs(diff) < 1.0
    squared_loss = tf.square(diff) / 2
    linear_loss = tf.abs(diff) - 0.5
    return tf.reduce_mean(tf.where(is_small, squared_loss, linear_loss))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss.numpy()
