import tensorflow as tf
from tensorflow.keras import Model
from tensorflow.keras import layers as L


def conv(x, filters, kernel, stride=1, act="relu"):
    return L.Conv2D(filters, kernel, strides=stride, activation=act)(x)


def dense(x, units=512, act="relu"):
    return L.Dense(units, activation=act)(x)


def create_q_model(num_actions=4, img_size=84, frames=4):
    inp = L.Input((img_size, img_size, frames))
    x = conv(inp, 32, 8, stride=4)
    x = conv(x, 64, 4, stride=2)
    x = conv(x, 64, 3)
    x = L.Flatten()(x)
    x = dense(x)
    return Model(inp, dense(x, num_actions, act=None))
