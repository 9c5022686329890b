import tensorflow as tf


def huber_loss(y_true, y_pred):
    error = tf.cast(y_true, tf.float32) - tf.cast(y_pred, tf.float32)
    small = 0.5 * tf.square(error)
    big = tf.abs(error) - 0.5
    return tf.reduce_mean(tf.where(tf.abs(error) <= 1.0, small, big))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        predictions = model(states)
        loss = huber_loss(targets, predictions)
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
