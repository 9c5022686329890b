import tensorflow as tf


def huber_loss(y_true, y_pred):
    e = y_true - y_pred
    # quadratic for small errors, linear for big errors
    l = tf.where(tf.abs(e) <= 1, e * e, tf.abs(e) - 0.5)
    return tf.reduce_mean(l)


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    return float(loss)
