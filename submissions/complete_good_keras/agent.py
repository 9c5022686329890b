import os

import numpy as np
from keras import Sequential
from keras.layers import Dense, Input

WEIGHTS = os.path.join(os.path.dirname(__file__), "cartpole.weights.h5")


class DQNAgent:
    def __init__(self, observation_space, action_space):
        self.q_network = Sequential([
            Input(shape=observation_space.shape),
            Dense(256, activation="relu"),
            Dense(256, activation="relu"),
            Dense(int(action_space.n), activation="linear"),
        ])
        self.q_network.load_weights(WEIGHTS)

    def act(self, observation):
        batch = np.expand_dims(observation, axis=0)
        q_values = self.q_network(batch, training=False)
        return int(np.argmax(q_values.numpy()[0]))
