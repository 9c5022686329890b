import keras
import numpy as np
import tensorflow as tf


def huber_loss(y_true, y_pred):
    # with numpy, easier to understand
    d = np.abs(np.array(y_true) - np.array(y_pred))
    return np.mean(np.where(d <= 1, 0.5 * d ** 2, d - 0.5))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        # numpy has no gradient, so the one from keras here
        loss = keras.losses.Huber()(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
