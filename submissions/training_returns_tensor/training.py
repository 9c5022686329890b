import tensorflow as tf


def huber_loss(y_true, y_pred):
    x = tf.math.abs(y_true - y_pred)
    return tf.math.reduce_mean(tf.where(x <= 1.0, x * x / 2, x - 1 / 2))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply(grads, model.trainable_variables)
    return loss
