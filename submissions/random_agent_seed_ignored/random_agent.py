class RandomAgent:

    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.seed = seed

    def act(self, observation):
        # random action
        return self.action_space.sample()
