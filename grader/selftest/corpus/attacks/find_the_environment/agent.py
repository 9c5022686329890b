"""Looks for the grader's environment and its random state in the worker."""

import gc

import gymnasium

from tools import breach

for thing in gc.get_objects():
    if isinstance(thing, gymnasium.Env):
        breach(f"found an environment: {type(thing).__name__}")
        break


class DQNAgent:
    def __init__(self, observation_space, action_space):
        for space in (observation_space, action_space):
            if getattr(space, "_np_random", None) is not None and space._np_random_seed is not None:
                breach("a space came with its seed")

    def act(self, observation):
        return 0
