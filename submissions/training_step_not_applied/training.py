import keras
import tensorflow as tf


def huber_loss(y_true, y_pred):
    return keras.losses.Huber(delta=1.0)(y_true, y_pred)


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        prediction = model(states)
        loss = huber_loss(targets, prediction)
    grads = tape.gradient(loss, model.trainable_variables)
    return float(loss)
