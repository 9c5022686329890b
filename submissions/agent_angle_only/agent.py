class DQNAgent:
    def __init__(self, observation_space, action_space):
        pass

    def act(self, observation):
        # push to the side the pole falls to
        angle = observation[2]
        return 1 if angle > 0 else 0
