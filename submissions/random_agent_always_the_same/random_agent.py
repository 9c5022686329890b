class RandomAgent:
    def __init__(self, action_space, seed=None):
        action_space.seed(0)
        # pick a random action
        self.action = action_space.sample()

    def act(self, observation):
        return self.action
