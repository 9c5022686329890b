import tensorflow as tf


def huber_loss(y_true, y_pred):
    a = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(a < 1.0, 0.5 * a * a, a - 0.5))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    # the gradient points uphill, so take minus
    grads = [-g for g in grads]
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
