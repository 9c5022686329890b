import tensorflow as tf

# test it
y_true = tf.constant([1.0, 2.0])
y_pred = tf.constant([1.5, 2.5])
print(huber_loss(y_true, y_pred))


def huber_loss(y_true, y_pred):
    e = tf.abs(y_true - y_pred)
    return tf.reduce_mean(tf.where(e <= 1, 0.5 * e ** 2, e - 0.5))


def train_step(model, optimizer, states, targets):
    with tf.GradientTape() as tape:
        loss = huber_loss(targets, model(states))
    grads = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return float(loss)
