from pathlib import Path
import numpy as np


class DQNAgent:
    """Network with one hidden layer, calculated with numpy."""

    def __init__(self, observation_space, action_space):
        data = np.load(Path(__file__).resolve().parent / "q_network.npz")
        self.w1, self.b1 = data["w1"], data["b1"]
        self.w2, self.b2 = data["w2"], data["b2"]

    def select_action(self, state):
        h = np.maximum(0, state @ self.w1 + self.b1)
        q = h @ self.w2 + self.b2
        return q.argmax()
