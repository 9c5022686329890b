import keras
from keras.layers import Conv2D, Dense, Flatten, Input

# filters, kernel, stride
CONV = [(32, 8, 4), (64, 4, 2), (64, 3, 1)]


def create_q_model(num_actions):
    inp = Input((84, 84, 4))
    x = inp
    for f, k, s in CONV:
        x = Conv2D(filters=f, kernel_size=k, strides=s, activation='relu')(x)
    x = Flatten()(x)
    x = Dense(512, activation='relu')(x)
    out = Dense(num_actions)(x)
    return keras.Model(inp, out)
