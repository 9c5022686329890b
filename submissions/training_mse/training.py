import tensorflow as tf


def huber_loss(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
