import keras
import tensorflow as tf

loss_function = keras.losses.Huber()


def huber_loss(y_true, y_pred):
    return loss_function(y_true, y_pred)


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        q_values = model(states, training=True)
        loss = loss_function(targets, q_values)
    # Backpropagation
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss.numpy().item()
