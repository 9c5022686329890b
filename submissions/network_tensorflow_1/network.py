import tensorflow as tf


def create_q_model(num_actions):
    x = tf.placeholder(tf.float32, [None, 84, 84, 4])
    h = tf.layers.conv2d(x, 32, 8, 4, activation=tf.nn.relu)
    h = tf.layers.conv2d(h, 64, 4, 2, activation=tf.nn.relu)
    h = tf.layers.conv2d(h, 64, 3, 1, activation=tf.nn.relu)
    h = tf.layers.dense(tf.layers.flatten(h), 512, activation=tf.nn.relu)
    return tf.layers.dense(h, num_actions)
