import keras
from keras import layers


def block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=True)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("elu")(x)
    x = layers.MaxPool2D((2, 2))(x)
    return layers.Dropout(0.25)(x)


def create_model(classes):
    inputs = keras.Input((32, 32, 3))
    x = inputs / 127.5 - 1
    for filters in [16, 32, 64, 64]:
        x = block(x, filters)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation=keras.activations.softmax)(x))
