import tensorflow as tf


def huber_loss(y_true, y_pred):
    a = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(a < 1.0, 0.5 * a * a, a - 0.5))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    # new weights
    for w, g in zip(model.trainable_variables, grads):
        w.assign_sub(optimizer.learning_rate * g)
    return float(loss)
