"""The rules that environments can break: what each costs in which check, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from grader.records.environment_evidence import EnvironmentRule
from grader.records.result import Severity


class EnvironmentCode(StrEnum):
    """Codes of findings about an environment.

    EN1xx: Gymnasium's API. EN2xx: seeds. EN3xx: the game itself. EN4xx: pictures.
    """

    NOT_AN_ENV = "EN101"
    NO_OBSERVATION_SPACE = "EN102"
    NO_ACTION_SPACE = "EN103"
    RESET_SIGNATURE = "EN104"
    RESET_RETURN = "EN105"
    RESET_INFO = "EN106"
    RESET_OBSERVATION = "EN107"
    STEP_RETURN = "EN108"
    STEP_OBSERVATION = "EN109"
    REWARD_TYPE = "EN110"
    REWARD_NOT_FINITE = "EN111"
    TERMINATED_TYPE = "EN112"
    TRUNCATED_TYPE = "EN113"
    STEP_INFO = "EN114"
    NEVER_ENDS = "EN115"
    RAISED_IN_RESET = "EN116"
    RAISED_IN_STEP = "EN117"
    RESET_AFTER_END = "EN118"
    NO_METADATA = "EN119"
    RENDER_MODE = "EN120"
    CHECKER = "EN121"
    CHECKER_WARNING = "EN122"
    OBSERVATION_OVERWRITTEN = "EN123"
    OBSERVATION_SHARED = "EN124"
    INFO_SHARED = "EN125"
    INFO_KEYS = "EN126"
    ACTION_OVERWRITTEN = "EN127"
    SPACE_CHANGES = "EN128"
    GENERATOR_NOT_SEEDED = "EN129"
    INVALID_ACTION = "EN130"
    STEP_AFTER_END = "EN131"
    STEP_BEFORE_RESET = "EN132"
    NOT_MADE = "EN133"
    NOT_WRAPPED = "EN134"
    CLOSE = "EN135"
    DIFFERS_IN_PROCESS = "EN201"
    DIFFERS_BETWEEN_PROCESSES = "EN202"
    SEED_IGNORED = "EN203"
    SAME_GAME_AGAIN = "EN204"
    NEXT_GAME_DIFFERS = "EN205"
    INSTANCES_SHARE = "EN206"
    GLOBAL_RANDOM = "EN207"
    ONE_STEP = "EN301"
    CONSTANT_REWARD = "EN302"
    ACTIONS_IGNORED = "EN303"
    RESULT_FIXED = "EN304"
    RENDER_FPS = "EN401"
    NO_PICTURE = "EN402"
    RENDER_FAILED = "EN403"
    RENDER_FORM = "EN404"
    RENDER_SHAPE = "EN405"
    RENDER_TOO_LARGE = "EN406"
    RENDER_CONSTANT = "EN407"
    RENDER_CHANGES_GAME = "EN408"


@dataclass(frozen=True)
class RuleText:
    """What a broken rule costs and how it is told."""

    code: EnvironmentCode
    cost: float
    """Share of the points lost, of the check that tells of it, when it is broken; 0 is a
    warning."""
    claim: str
    """What is the case."""
    expected: str
    """What is asked for, where the evidence does not say it more precisely."""
    advice: str
    """What to do next."""
    told_by: Literal["conformance", "deterministic", "render"] = "conformance"
    """The check that tells of it."""
    severity: Severity = Severity.WARNING
    """How much it matters when it costs nothing."""


_R = EnvironmentRule
_C = EnvironmentCode

# The costs follow what breaks for someone who uses the environment. 1: there is no environment to
# use. 0.4 to 0.6: no training loop runs. 0.3: it runs and learns from wrong data. 0.1 to 0.15: a
# wrong type or manner that Python mostly forgives. 0: what Gymnasium recommends but does not
# require. All that cost less than `SEVERE_COST` cost `SMALL_LIMIT` together at most: many small
# mistakes do not make an unusable environment.
RULES: Final[dict[EnvironmentRule, RuleText]] = {
    _R.NOT_AN_ENV: RuleText(
        _C.NOT_AN_ENV, 1.0, "The class is no Gymnasium environment.",
        "a subclass of `gymnasium.Env`",
        "Write `class GameEnv(gymnasium.Env):` with the methods `reset` and `step`. The old "
        "package `gym` has another `Env`."),
    _R.NO_OBSERVATION_SPACE: RuleText(
        _C.NO_OBSERVATION_SPACE, 1.0, "There is no observation space.",
        "`self.observation_space`, a space of `gymnasium.spaces`",
        "Set `self.observation_space = gymnasium.spaces.Box(…)` (or another space) in `__init__`."),
    _R.NO_ACTION_SPACE: RuleText(
        _C.NO_ACTION_SPACE, 1.0, "There is no action space.",
        "`self.action_space`, a space of `gymnasium.spaces`",
        "Set `self.action_space = gymnasium.spaces.Discrete(…)` (or another space) in `__init__`."),
    _R.RESET_SIGNATURE: RuleText(
        _C.RESET_SIGNATURE, 0.5, "`reset` does not take the arguments that Gymnasium passes.",
        "`def reset(self, *, seed=None, options=None)`",
        "Take `seed` and `options`, and begin with `super().reset(seed=seed)`. The method `seed` "
        "of the old Gym API is never called any more."),
    _R.RESET_RETURN: RuleText(
        _C.RESET_RETURN, 0.4, "`reset` does not return two things.",
        "a tuple (observation, info)",
        "End `reset` with `return observation, {}`."),
    _R.RESET_INFO: RuleText(
        _C.RESET_INFO, 0.1, "The info that `reset` returns is no dictionary.", "a dict",
        "End `reset` with `return observation, {}`."),
    _R.RESET_OBSERVATION: RuleText(
        _C.RESET_OBSERVATION, 0.3,
        "The observation that `reset` returns is not in the observation space.",
        "an observation for which `observation_space.contains(observation)` is true",
        "Compare shape, dtype and bounds with those of the space."),
    _R.STEP_RETURN: RuleText(
        _C.STEP_RETURN, 0.5, "`step` does not return five things.",
        "a tuple (observation, reward, terminated, truncated, info)",
        "End `step` with `return observation, reward, terminated, truncated, {}`."),
    _R.STEP_OBSERVATION: RuleText(
        _C.STEP_OBSERVATION, 0.3,
        "An observation that `step` returns is not in the observation space.",
        "an observation for which `observation_space.contains(observation)` is true",
        "Compare shape, dtype and bounds with those of the space, at the edges of the game too; "
        "the last observation of an episode counts."),
    _R.REWARD_TYPE: RuleText(
        _C.REWARD_TYPE, 0.15, "The reward is no number.", "a float (or int)",
        "Return a plain number: `float(reward)` for an array of one element."),
    _R.REWARD_NOT_FINITE: RuleText(
        _C.REWARD_NOT_FINITE, 0.3, "The reward is not finite (NaN or infinity).",
        "a finite number", "Look for a division by zero, or infinity as a penalty."),
    _R.TERMINATED_TYPE: RuleText(
        _C.TERMINATED_TYPE, 0.15, "`terminated` is no bool.", "True or False",
        "Return `bool(terminated)`; a count of lives or None is no bool."),
    _R.TRUNCATED_TYPE: RuleText(
        _C.TRUNCATED_TYPE, 0.15, "`truncated` is no bool.", "True or False",
        "Return `False`, or `bool(self.steps >= limit)` if the game has a step limit."),
    _R.STEP_INFO: RuleText(
        _C.STEP_INFO, 0.1, "The info that `step` returns is no dictionary.", "a dict",
        "Return `{}` as the fifth thing."),
    _R.NEVER_ENDS: RuleText(
        _C.NEVER_ENDS, 0.5, "An episode does not end.",
        "`terminated` or `truncated` is True at some step",
        "Return `terminated=True` when the game is won or lost, and `truncated=True` after a "
        "number of steps."),
    _R.RAISED_IN_RESET: RuleText(
        _C.RAISED_IN_RESET, 0.6, "`reset` raises an error.", "an observation and an info",
        "Run `GameEnv().reset(seed=0)` on your machine and mend the line."),
    _R.RAISED_IN_STEP: RuleText(
        _C.RAISED_IN_STEP, 0.6, "`step` raises an error on a valid action.",
        "a step for every action in the action space",
        "Play with `env.action_space.sample()` on your machine until it happens, and mend the "
        "line."),
    _R.RESET_AFTER_END: RuleText(
        _C.RESET_AFTER_END, 0.4, "After an episode, `reset` does not start a new one.",
        "a fresh episode at every `reset`",
        "Set everything that changes during the game again in `reset`, not only in `__init__`."),
    _R.NO_METADATA: RuleText(
        _C.NO_METADATA, 0.0, "`metadata` does not name the render modes.",
        "`metadata = {\"render_modes\": […], \"render_fps\": …}` on the class",
        "Add the line to the class; the list may be empty."),
    _R.RENDER_MODE: RuleText(
        _C.RENDER_MODE, 0.0, "`render_mode` is not handled as Gymnasium asks.",
        "`self.render_mode`, None or one of `metadata[\"render_modes\"]`",
        "Write `def __init__(self, render_mode=None)` and set `self.render_mode = render_mode`."),
    _R.CHECKER: RuleText(
        _C.CHECKER, 0.2, "Gymnasium's own checker objects.",
        "`gymnasium.utils.env_checker.check_env` ends without an error",
        "Run `check_env(GameEnv())` from `gymnasium.utils.env_checker` on your machine."),
    _R.CHECKER_WARNING: RuleText(
        _C.CHECKER_WARNING, 0.0, "Gymnasium's own checker warns.",
        "`gymnasium.utils.env_checker.check_env` ends without a warning",
        "Run `check_env(GameEnv())` from `gymnasium.utils.env_checker` on your machine."),
    _R.SEED_IGNORED: RuleText(
        _C.SEED_IGNORED, 0.0, "Different seeds give one and the same game.",
        "a game that depends on its seed, if anything in it is left to chance",
        "If chance plays a part, draw with `self.np_random` after `super().reset(seed=seed)`. If "
        "every game is meant to be the same, nothing is wrong.", "deterministic"),
    _R.OBSERVATION_OVERWRITTEN: RuleText(
        _C.OBSERVATION_OVERWRITTEN, 0.3, "An observation changes after it was returned.",
        "a new array for every observation",
        "Return a copy: `return self.board.copy(), {}`, and the same in `step`. Replay memories "
        "keep observations; one array that goes on changing makes all of them the last one."),
    _R.OBSERVATION_SHARED: RuleText(
        _C.OBSERVATION_SHARED, 0.0, "Two calls return the same object as observation.",
        "a new object for every observation",
        "Return a copy: `self.board.copy()`. Whoever changes one observation, such as a wrapper "
        "that scales it in place, changes the other."),
    _R.INFO_SHARED: RuleText(
        _C.INFO_SHARED, 0.0, "Two calls return the same dictionary as info.",
        "a new dictionary for every info",
        "Make it where it is returned: `{}`, or `dict(self.info)`. Wrappers write into it."),
    _R.INFO_KEYS: RuleText(
        _C.INFO_KEYS, 0.0, "The keys of the info differ from step to step.",
        "the same keys at every step",
        "Put every key in every info, with a value for `nothing` such as 0.",
        severity=Severity.NOTE),
    _R.ACTION_OVERWRITTEN: RuleText(
        _C.ACTION_OVERWRITTEN, 0.15, "`step` changes the action that it is given.",
        "an action that is the same afterwards",
        "Work on a copy: `action = np.clip(action, low, high)` makes one, `action *= 2` and "
        "`np.clip(…, out=action)` do not."),
    _R.SPACE_CHANGES: RuleText(
        _C.SPACE_CHANGES, 0.15, "A space is not the same at all times.",
        "spaces that are set in `__init__` and stay",
        "Set the spaces in `__init__` from its arguments alone, and never in `reset` or `step`: a "
        "network is built for them once."),
    _R.GENERATOR_NOT_SEEDED: RuleText(
        _C.GENERATOR_NOT_SEEDED, 0.1, "`reset(seed=…)` does not seed `self.np_random`.",
        "`self.np_random` seeded by `reset`",
        "Begin `reset` with `super().reset(seed=seed)`."),
    _R.INVALID_ACTION: RuleText(
        _C.INVALID_ACTION, 0.0, "An action outside the action space spoils the game.",
        "an exception, or a step that stays in order",
        "Begin `step` with `assert self.action_space.contains(action), action`, or clip the "
        "action."),
    _R.STEP_AFTER_END: RuleText(
        _C.STEP_AFTER_END, 0.15, "A step after the end of an episode does not come back.",
        "an exception, or a step that is ignored",
        "Raise `gymnasium.error.ResetNeeded`, or return the last observation again."),
    _R.STEP_BEFORE_RESET: RuleText(
        _C.STEP_BEFORE_RESET, 0.1, "A step before the first `reset` does not come back.",
        "an exception",
        "Raise `gymnasium.error.ResetNeeded` as long as no game has begun."),
    _R.NOT_MADE: RuleText(
        _C.NOT_MADE, 0.2, "`gymnasium.make` does not give an environment that works.",
        "`gymnasium.make` works after `gymnasium.register`",
        "Run `gymnasium.register(\"Game-v0\", GameEnv, max_episode_steps=8)` and "
        "`gymnasium.make(\"Game-v0\")` on your machine."),
    _R.NOT_WRAPPED: RuleText(
        _C.NOT_WRAPPED, 0.1, "The environment fails inside a wrapper of Gymnasium.",
        "an environment that wrappers can be put around",
        "Make the wrapper on your machine, from `gymnasium.wrappers`, and play a game in it."),
    _R.CLOSE: RuleText(
        _C.CLOSE, 0.1, "`close` fails.", "`close()` can be called at any time, and twice",
        "Close only what was opened: `if self.window is not None: …; self.window = None`."),
    _R.SAME_GAME_AGAIN: RuleText(
        _C.SAME_GAME_AGAIN, 0.25, "`reset()` without a seed plays one game again and again.",
        "another game after every `reset()`",
        "Hand the seed on as it is, None too: `super().reset(seed=seed)`. Do not keep it, and "
        "make no generator of your own.", "deterministic"),
    _R.NEXT_GAME_DIFFERS: RuleText(
        _C.NEXT_GAME_DIFFERS, 0.25,
        "The seed decides the first game, but not the games after it.",
        "the same sequence of games after one seed",
        "Draw with `self.np_random` in `reset()` without a seed as well; a new generator without "
        "a seed begins somewhere else each time.", "deterministic"),
    _R.INSTANCES_SHARE: RuleText(
        _C.INSTANCES_SHARE, 0.25, "Two environments in one process disturb each other.",
        "games that do not depend on other objects of the class",
        "Keep everything in `self`: no lists or numbers of the class or the module that change, "
        "and no generator that all share.", "deterministic"),
    _R.GLOBAL_RANDOM: RuleText(
        _C.GLOBAL_RANDOM, 0.0, "Chance comes from a generator that the whole process shares.",
        "`self.np_random`, which `super().reset(seed=seed)` seeds",
        "Write `self.np_random.integers(low, high)` for `random.randint(low, high − 1)`, "
        "`self.np_random.random()` for `random.random()`, `self.np_random.choice(items)` for "
        "`random.choice(items)`.", "deterministic"),
    _R.RENDER_FPS: RuleText(
        _C.RENDER_FPS, 0.1, "`metadata` does not say how many pictures a second has.",
        "`metadata[\"render_fps\"]`, a number above 0",
        "Write `metadata = {\"render_modes\": [\"rgb_array\"], \"render_fps\": 10}`.", "render"),
    _R.RENDER_FAILED: RuleText(
        _C.RENDER_FAILED, 0.8, "`render` fails in a mode that `metadata` names.",
        "a picture, or a text, of the game",
        "Make the environment with this `render_mode` on your machine, and call `reset()` and "
        "`render()`. Name no mode that `render` does not have.", "render"),
    _R.RENDER_FORM: RuleText(
        _C.RENDER_FORM, 0.5, "`render` does not return what its mode promises.",
        "an array of uint8, shape (height, width, 3)",
        "For \"rgb_array\": `np.zeros((height, width, 3), np.uint8)` and colours from 0 to 255. "
        "For \"ansi\": one text, returned and not printed.", "render"),
    _R.RENDER_SHAPE: RuleText(
        _C.RENDER_SHAPE, 0.3, "The pictures of one game are of different sizes.",
        "pictures of one size",
        "Draw on an array whose size depends on nothing that changes in the game.", "render"),
    _R.RENDER_TOO_LARGE: RuleText(
        _C.RENDER_TOO_LARGE, 0.2, "The pictures are too large to be shown.",
        "at most 1024 × 1024 pixels",
        "Draw fewer pixels for each square of the game.", "render"),
    _R.RENDER_CONSTANT: RuleText(
        _C.RENDER_CONSTANT, 0.5, "All pictures of a game are the same.",
        "pictures that show what happens",
        "Draw from the state of the game as it is when `render` is called.", "render"),
    _R.RENDER_CHANGES_GAME: RuleText(
        _C.RENDER_CHANGES_GAME, 0.5, "The game is another one when it is rendered.",
        "the same game with and without rendering",
        "Change nothing in `render`, and draw no random numbers there: keep those for `step` and "
        "`reset`.", "render"),
}  # fmt: skip

SEVERE_COST: Final = 0.3
"""Rules of at least this cost keep people from using the environment."""
SMALL_LIMIT: Final = 0.4
"""Most that all rules of a smaller cost take away together."""

DTYPE_COST: Final = 0.15
"""Cost of observations that are right but for their dtype: networks convert it in silence."""
WORD_COST: Final = 0.4
"""Cost of rewards that are words: nothing can add them up."""
