import keras
import tensorflow as tf

huber = keras.losses.Huber(delta=1.0)


def huber_loss(y_true, y_pred):
    return huber(y_true, y_pred)


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        q_values = model(states, training=True)
        loss = huber_loss(targets, q_values)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return float(loss)
