import numpy as np
import tensorflow as tf


def huber_loss(y_true, y_pred):
    d = np.abs(np.array(y_true) - np.array(y_pred))
    return np.mean(np.where(d <= 1, 0.5 * d ** 2, d - 0.5))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = tf.convert_to_tensor(huber_loss(targets, model(states)))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
