class Controller:
    def push(self, state):
        x, v, angle, turning = state
        # lean against the fall and walk slowly to the middle
        u = 0.1 * x + 0.3 * v + 3.0 * angle + 1.0 * turning
        return 1 if u > 0 else 0
