import copy


class RandomAgent(object):

    def __init__(self, action_space, seed=None):
        # a copy, so that two agents do not take numbers from each other
        self.space = copy.deepcopy(action_space)
        self.space.seed(seed)

    def choose_action(self, state):
        return self.space.sample()
