"""Many small environments in one worker, each with one thing wrong, and each beside a right one."""

import pytest

from grader.probes.environment_game import Game
from grader.probes.environment_inside import try_wrappers, watch
from grader.probes.environment_pictures import check_declared, take_pictures
from grader.probes.environment_runs import (
    COMPARED_SEEDS,
    Actions,
    compare_seeds,
    play_two_at_once,
    sketch,
    trace,
    try_choices,
)
from grader.probes.environment_turns import invalid_actions, try_turns
from grader.probes.environment_violations import Violations
from grader.records.environment_evidence import EnvironmentRule
from grader.records.messages import DescribeSpaces, ImportFile, Invoke, Resolve
from grader.records.spaces import parse_space, space_from_data
from grader.records.spec import Limits

Rule = EnvironmentRule

WALK = """\
import os
import random

import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env):
    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4}
    actions = spaces.Discrete(3)
    observations = spaces.Box(-50, 50, (2,), np.int64)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = self.observations
        self.action_space = self.actions

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = int(self.np_random.integers(-30, 31))
        self.begin()
        return self.observe(), self.info()

    def begin(self):
        self.steps = 0

    def observe(self):
        return np.array([self.position, self.steps])

    def info(self):
        return {}

    def move(self, action):
        return int(action) - 1

    def step(self, action):
        self.steps += 1
        self.position += self.move(action)
        return self.observe(), float(self.position), False, self.steps >= 6, self.info()

    def picture(self):
        picture = np.zeros((8, 64, 3), np.uint8)
        picture[4, (self.position + 32) % 64] = 255
        return picture

    def text(self):
        return f"{self.position} after {self.steps}"

    def render(self):
        return self.text() if self.render_mode == "ansi" else self.picture()


def variant(**methods):
    return type("GameEnv", (Walk,), methods)


"""

MORE = """
Constant = np.zeros(2, np.int64)
Buffer = np.zeros(2, np.int64)
Infos = {}
Shared = []


def written(self):
    self.seen[:] = self.position, self.steps
    return self.seen


def begun(self):
    self.steps = 0
    self.seen = np.zeros(2, np.int64)


def doubled(self, action):
    action *= 2
    return int(action[0] > 0)


def more_actions(self):
    self.steps = 0
    self.action_space = spaces.Discrete(4)


def own_generator(self, *, seed=None, options=None):
    self.position = 7 * (seed or 0) % 61 - 30
    self.begin()
    return self.observe(), {}


def by_random(self):
    self.steps = 0
    random.seed(3)


def by_numpy(self, action):
    if self.steps > 2:
        np.random.seed(5)
    return int(action) - 1


def kept_seed(self, *, seed=None, options=None):
    if seed is not None:
        self.kept = seed
    return Walk.reset(self, seed=getattr(self, "kept", None))


def fresh_generator(self, *, seed=None, options=None):
    gymnasium.Env.reset(self, seed=seed)
    chance = np.random.default_rng(None if seed is None else seed)
    self.position = int(chance.integers(-30, 31))
    self.begin()
    return self.observe(), {}


def begun_together(self):
    self.steps = 0
    Shared.clear()


def moved_together(self, action):
    Shared.append(int(action) - 1)
    return sum(Shared)


def inside(self):
    return np.array([max(-50, min(50, self.position)), self.steps])


def leaping(self, action):
    return int(action) - 1 if action in (0, 1, 2) else 1000


def growing(self):
    return np.zeros((8 + self.steps, 64, 3), np.uint8)


def moving(self):
    self.position += 1
    return np.zeros((8, 64, 3), np.uint8) + np.uint8(self.steps)


def closed_once(self):
    if self.render_mode is None and getattr(self, "closed", False):
        raise RuntimeError("it is closed")
    self.closed = True


def raising(*_):
    raise RuntimeError("no")


def without_mode(self):
    Walk.__init__(self)


def forgetting(self, render_mode=None):
    Walk.__init__(self)
"""

CASES = {
    "right": ("", []),
    "observation changes": ("begin=begun, observe=written", [Rule.OBSERVATION_OVERWRITTEN]),
    "observation shared": (
        "observe=lambda self: Constant", [Rule.OBSERVATION_SHARED],
    ),
    "info shared": ("info=lambda self: Infos", [Rule.INFO_SHARED]),
    "action changes": (
        "actions=spaces.Box(-1, 1, (1,), np.float32), move=doubled", [Rule.ACTION_OVERWRITTEN],
    ),
    "space changes": ("begin=more_actions", [Rule.SPACE_CHANGES]),
    "no super().reset": (
        "reset=own_generator", [Rule.GENERATOR_NOT_SEEDED],
    ),
    "random": ("begin=by_random", [Rule.GLOBAL_RANDOM]),
    "np.random": ("move=by_numpy", [Rule.GLOBAL_RANDOM]),
    "kept seed": ("reset=kept_seed", [Rule.SAME_GAME_AGAIN]),
    "fresh generator": ("reset=fresh_generator", [Rule.NEXT_GAME_DIFFERS]),
    "class attribute": ("begin=begun_together, move=moved_together", [Rule.INSTANCES_SHARE]),
    "leap": ("move=leaping", [Rule.INVALID_ACTION]),
    "spec": ("spec=property(lambda self: None)", [Rule.NOT_MADE]),
    "key of a wrapper": ("info=lambda self: {'episode': 1}", [Rule.NOT_WRAPPED]),
    "close": ("close=raising", [Rule.CLOSE]),
    "close twice": ("close=closed_once", [Rule.CLOSE]),
    "no render_mode": ("__init__=without_mode", [Rule.RENDER_MODE]),
    "render_mode forgotten": ("__init__=forgetting", [Rule.RENDER_MODE, Rule.RENDER_FORM]),
    "render raises": ("render=raising", [Rule.RENDER_FAILED, Rule.RENDER_FAILED]),
    "floats": ("picture=lambda self: np.zeros((4, 4, 3))", [Rule.RENDER_FORM]),
    "grey": ("picture=lambda self: np.zeros((4, 4), np.uint8)", [Rule.RENDER_FORM]),
    "nothing": ("picture=lambda self: None", [Rule.RENDER_FORM]),
    "printed": ("text=lambda self: print('x')", [Rule.RENDER_FORM]),
    "sizes": ("picture=growing", [Rule.RENDER_SHAPE]),
    "huge": ("picture=lambda self: np.zeros((1025, 1024, 3), np.uint8)", [Rule.RENDER_TOO_LARGE]),
    "still": ("text=lambda self: 'game'", [Rule.RENDER_CONSTANT]),
    "moving": ("picture=moving", [Rule.RENDER_CHANGES_GAME]),
}  # fmt: skip


def source_of_all() -> str:
    lines = [WALK, MORE]
    lines += [f"Case{n} = variant({given})\n" for n, (given, _) in enumerate(CASES.values())]
    return "".join(lines)


@pytest.fixture(scope="module")
def worker(fork_server):
    worker = fork_server.student(Limits(), 1)
    worker.put_files((("work.py", source_of_all().encode()),))
    worker.ask(ImportFile(file="work.py"), "importing")
    yield worker
    worker.close()


def resolve(worker, name: str) -> None:
    worker.ask(Resolve(role="env_class", what="class", names=(name,)), "looking")


def everything(worker, name: str) -> Violations:
    """All that goes beyond what `reset` and `step` return, tried on one class."""
    resolve(worker, name)
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
    described = worker.ask(DescribeSpaces(target="env"), "reading")
    action_space = space_from_data(described["action_space"])
    observation_space = space_from_data(described["observation_space"])
    actions, violations = Actions(action_space), Violations()
    game = Game(worker, Violations(), None)
    alone = trace(game, actions, COMPARED_SEEDS[0], 30, COMPARED_SEEDS[0])
    compare_seeds(game, actions, 30, violations, deterministic=True)
    play_two_at_once(worker, alone, actions, violations)
    watch(worker, actions, "work.py", violations)
    try_wrappers(worker, actions, observation_space, violations)
    try_turns(worker, actions, action_space, observation_space, 50, violations)
    take_pictures(
        worker, ("rgb_array", "ansi"), actions, alone, violations, deterministic=True
    )  # fmt: skip
    return violations


@pytest.mark.parametrize(("number", "name"), list(enumerate(CASES)), ids=list(CASES))
def test_each_mistake_is_found_and_nothing_else(worker, number, name):
    found = everything(worker, f"Case{number}").all()
    told = [(each.rule, each.received, each.at) for each in found]
    assert [each.rule for each in found] == CASES[name][1], told
    assert all(each.expected for each in found)
    assert all(each.received for each in found), told


def line_of(text: str) -> int:
    return source_of_all().splitlines().index(text) + 1


@pytest.mark.parametrize(
    ("name", "text", "module"),
    [("random", "    random.seed(3)", "`random`"),
     ("np.random", "        np.random.seed(5)", "`np.random`")],
)  # fmt: skip
def test_the_line_that_uses_a_global_generator_is_named(worker, name, text, module):
    (found,) = everything(worker, f"Case{list(CASES).index(name)}").all()
    assert found.line == line_of(text)
    assert module in found.received


def test_an_overwritten_observation_is_told_with_both_steps(worker):
    (found,) = everything(worker, "Case1").all()
    assert "observation of `reset`" in found.expected
    assert "after step 6" in found.received


def test_a_right_environment_is_filmed_with_all_its_steps(worker):
    resolve(worker, "Case0")
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
    actions, violations = Actions(parse_space("Discrete(3)")), Violations()
    game = Game(worker, Violations(), None)
    alone = trace(game, actions, COMPARED_SEEDS[0], 30, COMPARED_SEEDS[0])

    def taken(*modes):
        return take_pictures(worker, modes, actions, alone, violations, deterministic=True)

    pictures = taken("rgb_array", "ansi")
    film = pictures.film
    assert (film.steps, len(film.frames)) == (6, 7)
    assert film.ending == "It was cut off (truncated)."
    assert film.episode_return == sum(answer[1] for answer in alone)
    assert {frame.action for frame in film.frames[:-1]} <= {"0", "1", "2"}
    assert pictures.text == f"{alone[-1][0][0]} after 6"
    assert taken("rgb_array", "ansi") == pictures
    assert taken("human").film is None  # its observations are no images
    assert violations.all() == ()


def test_several_steps_in_one_request_give_what_single_steps_give(worker):
    resolve(worker, "Case0")
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
    actions, game = Actions(parse_space("Discrete(3)")), Game(worker, Violations(), None)
    for steps in (4, 30):
        single = trace(game, actions, 5, steps, 6)
        at_once = sketch(game, actions, 5, steps, 6)
        assert [repr(answer) for answer in at_once] == [repr(answer) for answer in single]


def test_choices_are_counted(worker):
    actions = Actions(parse_space("Discrete(3)"))
    for name, games, results in (("Case0", 4, 4), ("Case2", 4, 4)):
        resolve(worker, name)
        worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
        trials = try_choices(Game(worker, Violations(), None), actions, 4, 30)
        assert [len(trial.returns) for trial in trials] == [4, 4]
        assert {trial.distinct_games for trial in trials} == {games}
        assert {trial.distinct_results for trial in trials} == {results}


# --- what takes the process along -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "broken"),
    [
        ("move=lambda self, action: os._exit(1) if self.steps > 6 else 0", Rule.STEP_AFTER_END),
        ("move=lambda self, action: os._exit(1) if action > 2 else 0", Rule.INVALID_ACTION),
        ("step=lambda self, action: Walk.step(self, action) if hasattr(self, 'steps')"
         " else os._exit(1)", Rule.STEP_BEFORE_RESET),
        ("close=lambda self: os._exit(1)", Rule.CLOSE),
        ("picture=lambda self: os._exit(1)", Rule.RENDER_FAILED),
    ],
)  # fmt: skip
def test_a_process_that_ends_is_told_of_the_call_that_ended_it(student, method, broken):
    worker = student(f"{WALK}\nCase = variant({method})\n").worker
    resolve(worker, "Case")
    worker.ask(Invoke(target="env_class", arguments={}, keep="env"), "making")
    actions, violations = Actions(parse_space("Discrete(3)")), Violations()
    space = parse_space("Discrete(3)")
    game = Game(worker, Violations(), None)
    alone = trace(game, actions, COMPARED_SEEDS[0], 30, COMPARED_SEEDS[0])
    try_turns(worker, actions, space, None, 50, violations)
    take_pictures(worker, ("rgb_array",), actions, alone, violations, deterministic=True)
    found = violations.all()[0]
    assert found.rule is broken
    assert found.incident.kind == "exited"


# --- without a worker -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("modes", "fps", "broken"),
    [
        (("ansi",), 4, False), (("ansi",), 0.5, False), ((), None, False),
        (("ansi",), None, True), (("ansi",), 0, True), (("ansi",), "4", True),
        (("ansi",), True, True),
    ],
)  # fmt: skip
def test_pictures_per_second_are_a_number_above_0(modes, fps, broken):
    violations = Violations()
    check_declared(modes, fps, violations)
    assert violations.broken() == ({Rule.RENDER_FPS} if broken else set())


@pytest.mark.parametrize(
    "text",
    ["Discrete(3)", "Discrete(3, start=-4)", "MultiDiscrete([2, 5])", "Box(-1, 1, (2,))"],
)
def test_invalid_actions_are_none_of_the_space(text):
    space = parse_space(text)
    actions = invalid_actions(space)
    assert actions
    assert not any(space.contains(action) for action in actions)
