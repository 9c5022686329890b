class DQNAgent:
    """Looks only at the angular velocity of the pole."""

    def __init__(self, observation_space, action_space):
        self.left = 0
        self.right = 1

    def select_action(self, observation):
        position, velocity, angle, angular_velocity = observation
        if angular_velocity > 0:
            return self.right
        return self.left
