import keras
from keras import layers


def create_q_model(num_actions, env, learning_rate):
    model = keras.Sequential([
        keras.Input(env.observation_space.shape),
        layers.Conv2D(32, 8, strides=4, activation="relu"),
        layers.Conv2D(64, 4, strides=2, activation="relu"),
        layers.Conv2D(64, 3, strides=1, activation="relu"),
        layers.Flatten(),
        layers.Dense(512, activation="relu"),
        layers.Dense(num_actions),
    ])
    model.compile(keras.optimizers.Adam(learning_rate), "huber")
    return model
