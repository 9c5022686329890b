import copy


class RandomAgent:
    """Chooses every action with the same probability."""

    def __init__(self, action_space, seed=None):
        self.action_space = copy.deepcopy(action_space)
        self.action_space.seed(seed)

    def act(self, observation):
        return self.action_space.sample()
