class RandomAgent:
    def __init__(self, action_space, seed=None):
        self.action_space = action_space
        self.action_space.seed(seed)

    def act(self, observation):
        action = self.action_space.sample()
	return action
