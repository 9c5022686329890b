class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        # the space has its own random numbers
        self.action_space.seed(seed)

    def act(self, observation):
        return self.action_space.sample()
