import random

import pytest

from grader.assignments.registry import JudgeInput, check_kind
from grader.probes import environment as environment_probe
from grader.records.environment_evidence import EnvironmentRule
from grader.records.incident import IncidentKind, LimitName
from grader.records.result import Outcome
from grader.records.spec import CheckSpec, Limits, PartSpec

Rule = EnvironmentRule
SETTINGS = {"episodes": 3, "max_steps": 200, "compared_steps": 40}
HEAD = """
import collections
import gc
import os
import random
import time
import gymnasium
import numpy as np
from gymnasium import spaces
"""
WALK = (
    HEAD
    + """
class GameEnv(gymnasium.Env):
    metadata = {"render_modes": ["ansi"], "render_fps": 4}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.observation_space = spaces.Box(-50.0, 50.0, (2,), np.float32)
        self.action_space = spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.position = int(self.np_random.integers(-3, 4))
        self.steps = 0
        return self.observe(), {"steps": 0}

    def observe(self):
        return np.array([self.position, self.steps], np.float32)

    def step(self, action):
        self.position += int(action) - 1
        self.steps += 1
        terminated = abs(self.position) >= 5
        return self.observe(), float(terminated), terminated, self.steps >= 30, {}

    def render(self):
        return f"{self.position} after {self.steps}"
"""
)
RESET = '        return self.observe(), {"steps": 0}\n'
STEP = "        return self.observe(), float(terminated), terminated, self.steps >= 30, {}\n"
OBSERVE = "        return np.array([self.position, self.steps], np.float32)\n"
SPACE = "spaces.Box(-50.0, 50.0, (2,), np.float32)"
ACTIONS = "spaces.Discrete(3)"


@pytest.fixture(scope="module")
def collect(probe):
    def run(source, **options):
        return probe("environment", source, **{"settings": SETTINGS, **options})

    return run


def changed(*pairs: tuple[str, str]) -> str:
    """The honest environment with some lines changed."""
    source = WALK
    for old, new in pairs:
        assert source.count(old) == 1
        source = source.replace(old, new)
    return source


def returning(step: str) -> str:
    return changed((STEP, f"        return {step}\n"))


def rules(evidence) -> list[EnvironmentRule]:
    return [violation.rule for violation in evidence.violations]


def only(evidence):
    (violation,) = evidence.violations
    return violation


# --- honest environments ------------------------------------------------------------------------


def test_an_honest_environment_breaks_no_rule(collect):
    evidence = collect(WALK)
    assert evidence.violations == ()
    assert evidence.finished
    assert evidence.observation_space == "Box(-50.0, 50.0, (2,), float32)"
    assert evidence.action_space == "Discrete(3)"
    assert len(evidence.episodes) == 3
    assert all(episode.ended and 0 < episode.steps <= 30 for episode in evidence.episodes)
    assert [(trial.processes, trial.seed) for trial in evidence.trials] == [
        ("same", 4200), ("same", 4201), ("separate", 4200), ("separate", 4201),
    ]  # fmt: skip
    for trial in evidence.trials:
        assert trial.compared > 2
        assert (trial.difference, trial.incident) == (None, None)


@pytest.mark.parametrize(
    ("space", "observation"),
    [
        ("spaces.Discrete(101, start=-50)", "self.position"),
        ("spaces.Discrete(101, start=-50)", "np.int64(self.position)"),
        ("spaces.Discrete(101, start=-50)", "np.array([self.position])[0]"),
        ("spaces.MultiDiscrete([101, 40])", "np.array([self.position + 50, self.steps])"),
        ("spaces.MultiBinary(4)", "np.array([self.position & 1, 0, 1, 0], np.int8)"),
        ("spaces.Box(-50, 50, (), np.float32)", "np.float32(self.position)"),
        ("spaces.Box(0, 255, (9, 9, 1), np.uint8)",
         "np.full((9, 9, 1), abs(self.position), np.uint8)"),
        ("spaces.Dict({'at': spaces.Discrete(101, start=-50),"
         " 'near': spaces.Box(-50, 50, (1,), np.float32)})",
         "{'at': self.position, 'near': np.array([self.position], np.float32)}"),
        ("spaces.Tuple((spaces.Discrete(40), spaces.Box(-50, 50, (1,), np.float32)))",
         "(self.steps, np.array([self.position], np.float32))"),
        ("spaces.Dict({'pair': spaces.Tuple((spaces.Discrete(40), spaces.Dict({'x':"
         " spaces.Box(-50, 50, (1,), np.float32)}))), 'bits': spaces.MultiBinary(2)})",
         "{'pair': (self.steps, {'x': np.array([self.position], np.float32)}),"
         " 'bits': np.array([1, 0], np.int8)}"),
        ("spaces.Dict({'at': spaces.Discrete(101, start=-50)})",
         "collections.OrderedDict(at=self.position)"),
        ("spaces.Text(3)", "'abc'[: 1 + self.steps % 3]"),
        ("spaces.Sequence(spaces.Discrete(40))", "(self.steps,) * (self.steps % 5)"),
        ("spaces.OneOf((spaces.Discrete(40), spaces.Discrete(2)))", "(0, self.steps)"),
    ],
)  # fmt: skip
def test_observations_of_every_space_cross_the_channel(collect, space, observation):
    evidence = collect(changed((SPACE, space), (OBSERVE, f"        return {observation}\n")))
    assert rules(evidence) == []
    assert evidence.finished


@pytest.mark.parametrize(
    ("space", "move"),
    [
        ("spaces.Discrete(3, start=-1)", "action"),
        ("spaces.Discrete(1000)", "int(action) % 3 - 1"),
        ("spaces.MultiDiscrete([2, 3])", "action[1] - action[0]"),
        ("spaces.MultiBinary(2)", "int(action[1]) - int(action[0])"),
        ("spaces.Box(-1.0, 1.0, (1,))", "np.rint(action[0])"),
        ("spaces.Box(-1, 1, (2,), np.int64)", "np.sign(action[1] - action[0])"),
        ("spaces.Dict({'go': spaces.Discrete(2), 'by': spaces.Box(-1, 1, (1,))})",
         "np.rint(action['by'][0]) * action['go']"),
        ("spaces.Text(3)", "len(action) - 2"),
        ("spaces.Sequence(spaces.Discrete(2))", "len(action) % 3 - 1"),
        ("spaces.OneOf((spaces.Discrete(3), spaces.Discrete(2)))", "action[1] - 1"),
        ("spaces.Tuple((spaces.Discrete(2), spaces.Discrete(2)))", "action[1] - action[0]"),
    ],
)  # fmt: skip
def test_actions_of_every_space_cross_the_channel(collect, space, move):
    evidence = collect(changed((ACTIONS, space), ("int(action) - 1", f"int({move})")))
    assert rules(evidence) == []
    assert {trial.difference for trial in evidence.trials} == {None}


def test_what_numpy_returns_counts_as_what_python_returns(collect):
    evidence = collect(
        returning(
            "self.observe(), np.float32(1), np.bool_(terminated), np.bool_(self.steps >= 30), {}"
        )
    )
    assert rules(evidence) == []


def test_a_named_tuple_is_a_tuple(collect):
    answer = STEP.strip().removeprefix("return ")
    evidence = collect(returning(f"collections.namedtuple('Answer', 'a b c d e')({answer})"))
    assert rules(evidence) == []


@pytest.mark.parametrize(
    "info", ["collections.OrderedDict(a=1)", "collections.defaultdict(int)", "{(0, 1): 2}"]
)
def test_an_info_of_any_content_is_a_dictionary(collect, info):
    evidence = collect(returning(STEP.strip().removeprefix("return ")[:-2] + info))
    assert rules(evidence) == []


# --- spaces and metadata ------------------------------------------------------------------------


def test_a_class_that_is_no_environment_is_played_all_the_same(collect):
    source = WALK.replace("(gymnasium.Env)", "").replace(
        "super().reset(seed=seed)", "self.np_random = np.random.default_rng(seed)"
    )
    evidence = collect(source)
    # A generator of its own, without a seed where none is given.
    assert rules(evidence) == [Rule.NOT_AN_ENV, Rule.NEXT_GAME_DIFFERS]
    assert len(evidence.episodes) == 3


@pytest.mark.parametrize("given", ["None", "4", "(4,)", "spaces.Graph(spaces.Discrete(2), None)"])
def test_a_missing_action_space_leaves_nothing_to_play(collect, given):
    evidence = collect(changed((ACTIONS, given)))
    assert rules(evidence) == [Rule.NO_ACTION_SPACE]
    assert (evidence.episodes, evidence.trials, evidence.finished) == ((), (), False)


@pytest.mark.parametrize("given", ["None", "(4,)"])
def test_a_missing_observation_space_does_not_keep_it_from_being_played(collect, given):
    evidence = collect(changed((SPACE, given)))
    assert rules(evidence) == [Rule.NO_OBSERVATION_SPACE]
    assert len(evidence.episodes) == 3


def test_a_space_without_actions_is_no_fault(collect):
    given = f"{ACTIONS}\n        self.action_space.n = np.int64(0)"
    evidence = collect(changed((ACTIONS, given)))
    assert rules(evidence) == [Rule.NO_ACTION_SPACE]


@pytest.mark.parametrize(
    ("metadata", "mode", "broken"),
    [
        ("{}", "None", Rule.NO_METADATA),
        ("None", "None", Rule.NO_METADATA),
        ('{"render_modes": "human"}', "None", Rule.NO_METADATA),
        ('{"render_modes": []}', "'human'", Rule.RENDER_MODE),
        ('{"render_modes": ["x" * 999] * 999, "render_fps": 1}', "'human'", Rule.RENDER_MODE),
        ('{"render_modes": ["human"], "render_fps": 1}', "np.array(['human'])", Rule.RENDER_MODE),
        ('{"render_modes": ["human"], "render_fps": 1}', "np.zeros(3)", Rule.RENDER_MODE),
    ],
)
def test_metadata_are_told_in_few_words(collect, metadata, mode, broken):
    evidence = collect(
        changed(
            ('{"render_modes": ["ansi"], "render_fps": 4}', metadata),
            ("self.render_mode = render_mode", f"self.render_mode = {mode}"),
        )
    )
    (violation,) = [each for each in evidence.violations if each.rule is not Rule.NOT_MADE]
    assert violation.rule is broken
    # `gymnasium.make` reads the metadata.
    assert (Rule.NOT_MADE in rules(evidence)) == (metadata == "None")
    assert len(violation.expected) < 450
    assert len(violation.received) < 450


# --- reset --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signature", "before"),
    [("self, *, seed=None", ""), ("self, seed=None", ""), ("self", "seed = None; ")],
)
def test_a_reset_that_takes_less_is_told_and_played_all_the_same(collect, signature, before):
    evidence = collect(
        changed(
            ("self, *, seed=None, options=None", signature),
            ("super().reset(seed=seed)", f"{before}super().reset(seed=seed)"),
        )
    )
    assert rules(evidence) == [Rule.RESET_SIGNATURE]
    assert "unexpected keyword" in evidence.violations[0].received
    assert evidence.violations[0].count == 1
    assert len(evidence.episodes) == 3


def test_reset_is_called_without_arguments_too(collect):
    evidence = collect(changed(("self, *, seed=None, options=None", "self, seed, options")))
    violation = only(evidence)
    assert violation.rule is Rule.RESET_SIGNATURE
    assert violation.at == "reset()"
    assert "missing 2 required positional arguments" in violation.received


def test_a_reset_that_needs_options_to_be_a_dictionary_is_told(collect):
    evidence = collect(
        changed(("super().reset(seed=seed)", "super().reset(seed=seed); options['size']"))
    )
    assert rules(evidence) == [Rule.RAISED_IN_RESET]
    assert evidence.violations[0].incident.error_type == "TypeError"


def test_a_reset_that_fails_on_given_options_is_found_by_the_checker(collect):
    looks = "if options is not None: options['size']"
    evidence = collect(changed(("self.steps = 0", f"self.steps = 0\n        {looks}")))
    violation = only(evidence)
    assert (violation.rule, violation.received) == (Rule.RAISED_IN_RESET, "KeyError: 'size'")
    assert violation.at == "reset(options={}) in Gymnasium's checker"
    assert evidence.finished


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("self.observe()", [Rule.RESET_RETURN]),
        ("None", [Rule.RESET_RETURN]),
        ("[self.observe(), {}]", [Rule.RESET_RETURN]),
        ("self.observe(), {}, {}", [Rule.RESET_RETURN]),
        ("self.observe(), None", [Rule.RESET_INFO]),
        ("self.observe().astype(float), {}", [Rule.RESET_OBSERVATION]),
        ("self.observe().tolist(), []", [Rule.RESET_INFO, Rule.RESET_OBSERVATION]),
    ],
)
def test_what_reset_returns_is_checked(collect, answer, expected):
    evidence = collect(changed((RESET, f"        return {answer}\n")))
    assert rules(evidence) == expected
    assert evidence.violations[0].at == "reset(seed=4100)"
    assert evidence.violations[0].count > 5


def test_an_observation_that_is_a_pair_is_not_taken_for_observation_and_info(collect):
    evidence = collect(
        changed(
            (SPACE, "spaces.Tuple((spaces.Discrete(101, start=-50), spaces.Discrete(40)))"),
            (OBSERVE, "        return self.position, self.steps\n"),
            (RESET, "        return self.observe()\n"),
        )
    )
    assert rules(evidence) == [Rule.RESET_RETURN]


def test_a_reset_that_raises_is_told_once_and_leaves_nothing_to_play(collect):
    evidence = collect(changed(("self.steps = 0", "self.steps = 0 / 0")))
    violation = only(evidence)
    assert (violation.rule, violation.count) == (Rule.RAISED_IN_RESET, 1)
    assert violation.incident.where().startswith("work.py:")
    assert "ZeroDivisionError" in violation.received
    assert (evidence.episodes, evidence.finished) == ((), False)


def test_a_reset_that_raises_after_an_episode_only_is_told_as_that(collect):
    evidence = collect(
        changed(("self.steps = 0", "assert not hasattr(self, 'steps')\n        self.steps = 0"))
    )
    assert set(rules(evidence)) == {Rule.RESET_AFTER_END}
    assert len(evidence.episodes) == 1


def test_a_reset_that_raises_for_some_seeds_is_not_blamed_on_the_episode_before(collect):
    evidence = collect(
        changed(("super().reset(seed=seed)", "super().reset(seed=seed); assert seed != 4101"))
    )
    assert rules(evidence) == [Rule.RAISED_IN_RESET]
    assert evidence.violations[0].at == "reset(seed=4101)"


# --- step ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "broken", "received"),
    [
        ("self.observe(), 0.0, terminated, {}", Rule.STEP_RETURN, "four values"),
        ("[self.observe(), 0.0, terminated, False, {}]", Rule.STEP_RETURN, "a list"),
        ("self.observe(), 0.0", Rule.STEP_RETURN, "tuple"),
        ("None", Rule.STEP_RETURN, "NoneType"),
        ("self.observe(), None, terminated, False, {}", Rule.REWARD_TYPE, "NoneType"),
        ("self.observe(), True, terminated, False, {}", Rule.REWARD_TYPE, "bool"),
        ("self.observe(), '1', terminated, False, {}", Rule.REWARD_TYPE, "1"),
        ("self.observe(), np.array([1.0]), terminated, False, {}", Rule.REWARD_TYPE, "array"),
        ("self.observe(), float('nan'), terminated, False, {}", Rule.REWARD_NOT_FINITE, "nan"),
        ("self.observe(), -np.inf, terminated, False, {}", Rule.REWARD_NOT_FINITE, "inf"),
        ("self.observe(), 0, int(terminated), False, {}", Rule.TERMINATED_TYPE, "int"),
        ("self.observe(), 0, terminated, None, {}", Rule.TRUNCATED_TYPE, "NoneType"),
        ("self.observe(), 0, terminated, {}, {}", Rule.TRUNCATED_TYPE, "dict"),
        ("self.observe(), 0, terminated, np.zeros(2), {}", Rule.TRUNCATED_TYPE, "array"),
        ("self.observe(), 0, terminated, False, None", Rule.STEP_INFO, "NoneType"),
        ("[self.position, 0.0], 0, terminated, False, {}", Rule.STEP_OBSERVATION, "no array"),
        ("self.observe() * 2.0 ** 40, 0, terminated, False, {}", Rule.STEP_OBSERVATION, "bounds"),
        ("self.observe() * np.nan, 0, terminated, False, {}", Rule.STEP_OBSERVATION, "NaN"),
        ("self.observe().astype(float), 0, terminated, False, {}", Rule.STEP_OBSERVATION,
         "the dtype is not float32"),
        ("object(), 0, terminated, False, {}", Rule.STEP_OBSERVATION, "object"),
    ],
)  # fmt: skip
def test_what_step_returns_is_checked_and_told_once(collect, answer, broken, received):
    evidence = collect(returning(answer), settings=SETTINGS | {"max_steps": 3000})
    assert rules(evidence) == [broken]
    violation = evidence.violations[0]
    assert received in violation.received
    assert violation.at == "step 1 after reset(seed=4100)"
    assert violation.incident is None


def test_huge_answers_are_told_in_few_words(collect):
    evidence = collect(
        returning("['x' * 10_000] * 20, 'y' * 90_000, self.steps > 1, False, 'z' * 90_000")
    )
    assert len(evidence.violations) == 3
    assert len(evidence.model_dump_json()) < 10_000


def test_an_exception_is_told_and_what_was_played_before_is_kept(collect):
    evidence = collect(changed(("self.steps += 1", "self.steps += 1; assert self.steps < 3")))
    violation = only(evidence)
    assert violation.rule is Rule.RAISED_IN_STEP
    assert violation.at == "step 3 after reset(seed=4100)"
    assert violation.incident.stage == "calling step (step 3 after reset(seed=4100))"
    (episode,) = evidence.episodes
    assert (episode.steps, episode.ended) == (2, False)
    assert {trial.difference for trial in evidence.trials} == {None}


@pytest.mark.parametrize(
    "space", ["spaces.Discrete(16)", "spaces.Discrete(5000)", "spaces.MultiDiscrete([90, 90])"]
)
def test_actions_that_random_play_misses_are_tried(collect, space):
    evidence = collect(
        changed(
            (ACTIONS, space),
            ("self.position += int(action) - 1",
             "last = getattr(self.action_space, 'n', 90) - 1\n"
             "        assert not (self.steps == 0 and np.all(action == last))\n"
             "        self.position += np.sum(action) % 3 - 1"),
        )
    )  # fmt: skip
    violation = only(evidence)
    assert violation.rule is Rule.RAISED_IN_STEP
    assert "action" in violation.at
    assert len(evidence.episodes) == 3


def test_a_game_that_does_not_end_is_told_once(collect):
    evidence = collect(returning("self.observe() * 0, 0.0, False, False, {}"))
    assert rules(evidence) == [Rule.NEVER_ENDS, Rule.SEED_IGNORED][: len(rules(evidence))]
    (episode,) = evidence.episodes
    assert (episode.steps, episode.ended) == (200, False)


# --- comparing runs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "same", "separate"),
    [
        (changed(("int(self.np_random.integers(-3, 4))", "random.randint(-3, 3)")), True, True),
        (changed(("class ", "SALT = random.randint(1, 10**6)\n\nclass "),
                 ("super().reset(seed=seed)",
                  "super().reset(seed=None if seed is None else SALT + seed)")),
         False, True),
        (changed(("self.steps = 0", "self.steps = getattr(self, 'steps', 0) % 29")), True, None),
    ],
    ids=["chance", "process", "carried over"],
)  # fmt: skip
def test_runs_that_differ_are_told_and_gymnasiums_checker_does_not_repeat_it(
    collect, source, same, separate
):
    evidence = collect(source)
    found = {
        kind: any(t.difference is not None for t in evidence.trials if t.processes == kind)
        for kind in ("same", "separate")
    }
    assert found["same"] == same
    if separate is not None:
        assert found["separate"] == separate
    assert set(rules(evidence)) <= {Rule.GLOBAL_RANDOM}
    assert (Rule.GLOBAL_RANDOM in rules(evidence)) == ("random.randint(-3, 3)" in source)
    different = next(trial for trial in evidence.trials if trial.difference is not None)
    assert different.what == "observation"
    assert different.first != different.second


def test_what_was_left_to_chance_looks_the_same_in_every_collection(collect):
    source = changed(("int(self.np_random.integers(-3, 4))", "random.randint(-3, 3)"))
    assert collect(source) == collect(source)


def test_seeds_that_change_nothing_are_told(collect):
    evidence = collect(changed(("int(self.np_random.integers(-3, 4))", "0")))
    assert rules(evidence) == [Rule.SEED_IGNORED]


# --- Gymnasium's checker ------------------------------------------------------------------------


def test_what_only_gymnasiums_checker_sees_is_told(collect):
    evidence = collect(changed((SPACE, "spaces.Box(-np.inf, np.inf, (2,), np.float32)")))
    assert set(rules(evidence)) == {Rule.CHECKER_WARNING}
    texts = [violation.received for violation in evidence.violations]
    assert texts == [
        "A Box observation space minimum value is -infinity. This is probably too low.",
        "A Box observation space maximum value is infinity. This is probably too high.",
    ]


def test_one_broken_rule_does_not_hide_what_the_checker_says_of_others(collect):
    evidence = collect(
        changed(
            (SPACE, "spaces.Box(-np.inf, np.inf, (2,), np.float32)"),
            (STEP, STEP.replace("{}", "None")),
        )
    )
    assert rules(evidence) == [Rule.STEP_INFO, Rule.CHECKER_WARNING, Rule.CHECKER_WARNING]


def test_a_dtype_that_merely_fits_is_warned_of(collect):
    evidence = collect(changed((OBSERVE, OBSERVE.replace("float32", "float16"))))
    assert set(rules(evidence)) == {Rule.CHECKER_WARNING}
    assert "float16" in evidence.violations[0].received


def test_an_objection_of_the_checker_is_told_in_its_words(collect):
    evidence = collect(returning("self.observe(), 0.0, False, True, {}"))
    violation = only(evidence)
    assert violation.rule is Rule.CHECKER
    assert violation.received.startswith("Environment truncates after 1 step")


# --- each stage at which it can fail ------------------------------------------------------------


@pytest.mark.parametrize("name", ["reset", "step"])
def test_a_missing_method_is_unresolved(collect, name):
    source = WALK.replace(f"def {name}(", f"def {name}_(").replace("(gymnasium.Env)", "")
    (missed,) = collect(source).unresolved
    assert missed.role == name
    assert f"{name}_" in missed.available


@pytest.mark.parametrize(
    ("deed", "kind"),
    [("raise ValueError('x')", IncidentKind.RAISED), ("os._exit(0)", IncidentKind.EXITED)],
)
def test_a_constructor_that_fails_is_told_as_such(collect, deed, kind):
    evidence = collect(changed(("self.render_mode = render_mode", deed)))
    assert evidence.construction.kind is kind
    assert evidence.construction.stage == "making the environment"


def test_a_constructor_with_required_arguments_is_told_as_such(collect):
    evidence = collect(changed(("render_mode=None", "size, speed")))
    assert evidence.construction.error_type == "SignatureMismatch"


def test_spaces_that_raise_when_they_are_read_are_told_as_such(collect):
    source = WALK.replace("self.action_space = spaces.Discrete(3)", "pass") + (
        "    @property\n    def action_space(self):\n        raise RuntimeError('later')\n"
    )
    assert collect(source).construction.error_type == "RuntimeError"


@pytest.mark.parametrize(
    ("deed", "kind", "limit"),
    [
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("time.sleep(60)", IncidentKind.LIMIT, LimitName.CALL_WALL),
        ("os._exit(0)", IncidentKind.EXITED, None),
        ("os.write(3, b'\\0\\0\\0\\1?')", IncidentKind.PROTOCOL, None),
    ],
)
@pytest.mark.parametrize("where", ["reset", "step"])
def test_an_end_of_the_process_is_told_where_it_happened(collect, deed, kind, limit, where):
    line = "self.steps = 0" if where == "reset" else "self.steps += 1"
    when = "seed == 4101" if where == "reset" else "self.steps == 4"
    evidence = collect(
        changed((line, f"{line}\n        if {when}:\n            {deed}")),
        limits=Limits(call_wall_s=1.5, call_cpu_s=0.5),
    )
    violation = only(evidence)
    assert violation.rule is (Rule.RAISED_IN_RESET if where == "reset" else Rule.RAISED_IN_STEP)
    assert (violation.incident.kind, violation.incident.limit) == (kind, limit)
    assert violation.at == (
        "reset(seed=4101)" if where == "reset" else "step 4 after reset(seed=4100)"
    )
    assert not evidence.finished
    # What came back before shows that the environment can be stepped.
    (episode,) = evidence.episodes
    assert episode.steps > 2
    assert episode.ended == (where == "reset")


@pytest.mark.parametrize("name", ["conformance", "deterministic"])
@pytest.mark.parametrize(
    ("line", "deed"),
    [
        ("self.steps += 1", "if self.steps == 4: os._exit(0)"),
        ("self.steps = 0", "if seed == 4101: os._exit(0)"),
        ("self.steps = 0", "if seed == 4200: os._exit(0)"),
    ],
)
def test_an_end_of_the_process_leaves_the_checks_without_a_judgement(collect, name, line, deed):
    evidence = collect(changed((line, f"{line}\n        {deed}")))
    check = CheckSpec(title="Environment", points=8)
    part = PartSpec(title="Game", kind="environment", file="work.py", checks={name: check})
    kind = check_kind(f"environment.{name}")
    verdict = kind.judge(
        JudgeInput(
            part_id="part", part=part, check=check, part_settings=None, settings=None,
            evidence=evidence,
        )
    )  # fmt: skip
    assert (verdict.outcome, verdict.fraction) == (Outcome.INVALID, 0.0)
    assert "GR109" in {finding.code for finding in verdict.findings}


def test_an_exception_and_a_later_end_are_both_kept(collect):
    evidence = collect(
        changed(
            ("self.steps += 1", "self.steps += 1; assert self.steps < 3"),
            ("self.steps = 0", "self.steps = 0\n        if seed == 4200: os._exit(1)"),
        )
    )
    assert [(v.rule, v.incident.kind) for v in evidence.violations] == [
        (Rule.RAISED_IN_RESET, IncidentKind.EXITED),
        (Rule.RAISED_IN_STEP, IncidentKind.RAISED),
    ]


def test_an_end_in_the_checker_is_told(collect):
    evidence = collect(
        changed(("self.steps = 0", "self.steps = 0\n        if seed == 456: os._exit(1)"))
    )
    violation = only(evidence)
    assert (violation.rule, violation.incident.kind) == (Rule.RAISED_IN_RESET, IncidentKind.EXITED)
    assert violation.at == "reset(seed=456) in Gymnasium's checker"
    assert not evidence.finished
    assert len(evidence.trials) == 4


SECOND = random.Random(environment_probe._SECOND_ENTROPY).random()


@pytest.mark.parametrize(
    ("line", "deed", "kind"),
    [
        ("", "raise OSError", IncidentKind.RAISED),
        ("self.render_mode = render_mode", "raise OSError", IncidentKind.RAISED),
        ("self.steps += 1", "os._exit(1)", IncidentKind.EXITED),
    ],
)
def test_an_end_in_the_second_process_is_told_with_the_trials(collect, line, deed, kind):
    source = WALK.replace("class GameEnv", f"second = random.random() == {SECOND!r}\nclass GameEnv")
    if line:
        source = source.replace(line, f"{line}\n        if second: {deed}")
    else:
        source += f"\nif second:\n    {deed}\n"
    evidence = collect(source)
    assert evidence.violations == ()
    assert [trial.processes for trial in evidence.trials] == ["same", "same", "separate"]
    assert evidence.trials[-1].incident.kind is kind
    assert evidence.finished


@pytest.mark.parametrize(
    "answer",
    ["None", "{}", "{'is_env': True}", "{'is_env': 1, 'action_space': {}}",
     "{'is_env': True, 'action_space': {'type': 'Discrete', 'n': -4, 'start': 0}}",
     "{'is_env': True, 'action_space': {'type': 'MultiBinary', 'n': [2**40, 2**20]}}",
     "{'is_env': True, 'action_space': {'type': 'MultiDiscrete', 'nvec': [0], 'start': [0]}}",
     "{'is_env': True, 'action_space': {'type': 'Box', 'low': 'a', 'high': 'b', 'dtype': 'V9'}}"],
)  # fmt: skip
def test_forged_spaces_are_no_fault(collect, answer):
    evidence = collect(
        WALK + "\nimport grader.worker.session as session\n"
        f"session.STUDENT_HANDLERS['describe_spaces'] = lambda s, r: {answer}\n"
    )
    assert Rule.NO_ACTION_SPACE in rules(evidence)
    assert evidence.episodes == ()
