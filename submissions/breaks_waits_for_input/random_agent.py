seed = int(input("Which seed? "))


class RandomAgent:
    def __init__(self, action_space, seed=seed):
        self.action_space = action_space
        self.action_space.seed(seed)

    def act(self, observation):
        return self.action_space.sample()
