import os
import numpy as np
import keras


class DQNAgent:
    def __init__(self, observation_space, action_space):
        path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "dqn_cartpole.keras")
        self.model = keras.models.load_model(path, compile=False)

    def act(self, observation):
        q = self.model.predict(np.array([observation]), verbose=0)
        return int(np.argmax(q))
