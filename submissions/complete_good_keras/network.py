from keras import Model
from keras.layers import Conv2D, Dense, Flatten, Input, Rescaling


def create_q_model(num_actions):
    frames = Input(shape=(84, 84, 4), name="frames")
    scaled = Rescaling(scale=1 / 255.0)(frames)
    conv = Conv2D(32, kernel_size=8, strides=4, activation="relu")(scaled)
    conv = Conv2D(64, kernel_size=4, strides=2, activation="relu")(conv)
    conv = Conv2D(64, kernel_size=3, strides=1, activation="relu")(conv)
    hidden = Dense(512, activation="relu")(Flatten()(conv))
    q_values = Dense(num_actions, name="q_values")(hidden)
    return Model(inputs=frames, outputs=q_values, name="dqn")
