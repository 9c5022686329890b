import random

import pytest

from grader.episodes.replaying import replay
from grader.errors import GraderFault
from grader.probes.agent import play_all
from grader.probes.agent_players import FIRST_ENTROPY, SECOND_ENTROPY, derived
from grader.records.agent_settings import AgentSettings
from grader.records.incident import IncidentKind, LimitName
from grader.records.report import SeedSet
from grader.records.spec import Limits

CARTPOLE = {"environment_id": "CartPole-v1"}
LEANING = """
    class DQNAgent:
        def __init__(self, observation_space, action_space):
            assert observation_space.shape == (4,)
            self.actions = action_space

        def act(self, observation):
            return int(observation[2] + 0.5 * observation[3] > 0)
"""


def acting(body: str, *, before: str = "") -> str:
    """An agent whose `act` has this body; `self.steps` counts its calls."""
    lines = body.replace("\n", "\n        ")
    return (
        f"import numpy as np, os, random, time\n{before}\n"
        "class DQNAgent:\n"
        "    def __init__(self, observation_space, action_space):\n"
        "        self.steps = -1\n"
        "    def act(self, observation):\n"
        "        self.steps += 1\n"
        f"        {lines}\n"
    )


# A student's code cannot know it; a test can, because each process starts from its own entropy.
SECOND = f"second = random.random() == {random.Random(SECOND_ENTROPY).random()!r}"


@pytest.fixture(scope="module")
def collect(probe):
    return lambda source, **options: probe("agent", source, **{"settings": CARTPOLE, **options})


def test_an_honest_agent_plays_every_seed_and_repeats_itself(collect):
    evidence = collect(LEANING, seeds=(7, 3, 5), seed_set=SeedSet.FINAL)
    assert [episode.seed for episode in evidence.episodes] == [7, 3, 5]
    assert evidence.seed_set is SeedSet.FINAL
    assert evidence.environment_id == "CartPole-v1"
    assert evidence.action_space == "Discrete(2)"
    assert "TimeLimit" in evidence.wrappers
    assert set(evidence.versions) == {"gymnasium", "numpy"}
    for episode in evidence.episodes:
        assert episode.terminated or episode.truncated
        assert replay(AgentSettings(**CARTPOLE), episode).same
    assert [trial.seed for trial in evidence.replays] == [7, 3]
    for trial, episode in zip(evidence.replays, evidence.episodes, strict=False):
        assert (trial.difference, trial.incident) == (None, None)
        assert trial.compared == len(episode.actions)


STATEFUL = acting("return int(self.steps % 3 == 0) ^ int(observation[2] > 0)")
RANDOM = acting("return random.randrange(2)")
SEEDED_NUMPY = acting("return int(np.random.default_rng().integers(2))")


@pytest.mark.parametrize("source", [LEANING, STATEFUL, RANDOM, SEEDED_NUMPY])
def test_an_episode_does_not_depend_on_the_others_or_their_order(collect, source):
    forwards = {each.seed: each for each in collect(source, seeds=(1, 2, 3)).episodes}
    backwards = {each.seed: each for each in collect(source, seeds=(3, 2)).episodes}
    assert backwards == {seed: forwards[seed] for seed in (3, 2)}


MODULE_STATE = acting("calls.append(1)\nreturn len(calls) // 3 % 2", before="calls = []")


def test_what_a_file_keeps_in_its_module_reaches_no_other_episode(collect):
    forwards = {each.seed: each for each in collect(MODULE_STATE, seeds=(1, 2, 3)).episodes}
    backwards = {each.seed: each for each in collect(MODULE_STATE, seeds=(3, 1)).episodes}
    assert backwards == {seed: forwards[seed] for seed in (3, 1)}
    assert collect(MODULE_STATE, seeds=(2,)).episodes == (forwards[2],)


def test_what_would_be_carried_over_from_one_episode_to_the_next_is_found(collect):
    first, second = collect(MODULE_STATE).replays
    assert (first.seed, second.seed) == (1, 2)
    assert first.difference is not None
    assert second.difference is None  # shown first of all


def test_in_one_process_what_a_module_keeps_lives_on(collect):
    settings = {**CARTPOLE, "episodes_per_process": 2}
    alone = collect(MODULE_STATE, seeds=(2,), settings=settings).episodes
    together = collect(MODULE_STATE, seeds=(1, 2), settings=settings).episodes
    assert together[1] != alone[0]


@pytest.mark.parametrize("source", [RANDOM, SEEDED_NUMPY])
def test_an_agent_left_to_chance_is_found_by_showing_it_the_same_again(collect, source):
    (trial, *_) = collect(source).replays
    assert trial.difference is not None
    assert trial.first_action != trial.second_action


def test_the_agent_is_not_told_the_seed(collect):
    evidence = collect(
        acting(
            "frame, seen = sys._getframe(), ''\n"
            "while frame is not None:\n"
            "    seen, frame = seen + repr(frame.f_locals), frame.f_back\n"
            "raise ValueError('invoke' in seen, '987654321' in seen)",
            before="import sys",
        ),
        seeds=(987654321,),
    )
    assert evidence.episodes[0].incident.message == "(True, False)"


@pytest.mark.parametrize(
    "returned",
    ["1", "np.int64(1)", "np.array(1)", "np.array([1])", "np.argmax([[0, 1]])", "Action.RIGHT"],
)
def test_an_action_may_come_in_several_forms(collect, returned):
    before = "import enum\nAction = enum.IntEnum('Action', 'RIGHT')"
    evidence = collect(acting(f"return {returned}", before=before), seeds=(1,))
    assert set(evidence.episodes[0].actions) == {1}
    assert evidence.replays[0].difference is None


def test_an_action_in_another_form_the_second_time_is_the_same_action(collect):
    evidence = collect(acting("return 1 if random.random() < 0.5 else np.array([1])"), seeds=(1,))
    assert evidence.replays[0].difference is None


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({"environment_id": "Pendulum-v1", "max_episode_steps": 20}, "return [0.1]"),
        (
            {"environment_id": "MountainCarContinuous-v0", "max_episode_steps": 20},
            "return np.array([0.3 * observation[0]])",
        ),
        ({"environment_id": "FrozenLake-v1"}, "return (observation + self.steps) % 4"),
        ({"environment_id": "Taxi-v4", "max_episode_steps": 20}, "return self.steps % 6"),
    ],
)
def test_other_environments_are_played_and_repeated_too(collect, settings, body):
    evidence = collect(acting(body), settings=settings, seeds=(1, 2))
    for episode in evidence.episodes:
        assert episode.incident is None
        assert episode.invalid_action is None
        assert replay(AgentSettings(**settings), episode).same
    assert [trial.difference for trial in evidence.replays] == [None, None]


@pytest.mark.parametrize("returned", ["2", "-1", "1.0", "True", "None", "[0, 1]", "'left'"])
def test_an_action_outside_the_space_ends_the_episode_only(collect, returned):
    evidence = collect(acting(f"return {returned} if self.steps == 4 else self.steps % 2"))
    for episode in evidence.episodes:
        assert episode.invalid_action is not None
        assert (len(episode.actions), episode.episode_return) == (4, 4.0)
    assert [trial.compared for trial in evidence.replays] == [4, 4]
    assert [trial.difference for trial in evidence.replays] == [None, None]


def test_an_invalid_first_action_leaves_nothing_to_show_again(collect):
    evidence = collect(acting("return None"))
    assert [episode.actions for episode in evidence.episodes] == [(), ()]
    assert evidence.replays == ()


@pytest.mark.parametrize(("answer", "text"), [("1", "1 (int)"), ("'up'", "up")])
def test_another_action_the_second_time_is_a_difference(collect, answer, text):
    source = acting(f"return {answer} if second and self.steps == 3 else 0", before=SECOND)
    (trial,) = collect(source, seeds=(1,)).replays
    assert (trial.difference, trial.first_action) == (3, "0 (int)")
    assert text in trial.second_action
    assert trial.incident is None


@pytest.mark.parametrize(
    "answer",
    ["np.array([0.0])", "0.0", "False", "np.array([0, 0])", "np.array([])", "[0]", "float('nan')",
     "np.zeros((2, 2))", "np.bool_(False)"],
)  # fmt: skip
def test_an_answer_outside_the_space_is_never_the_same_action(collect, answer):
    source = acting(f"return {answer} if second and self.steps == 3 else 0", before=SECOND)
    (trial,) = collect(source, seeds=(1,)).replays
    assert (trial.difference, trial.first_action) == (3, "0 (int)")


# --- each stage at which it can fail ------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "error_type"),
    [
        ("raise ValueError('no weights')", IncidentKind.RAISED, "ValueError"),
        ("open('weights.npz')", IncidentKind.RAISED, "FileNotFoundError"),
        ("import os; os._exit(3)", IncidentKind.EXITED, ""),
        ("import sys; sys.exit()", IncidentKind.EXITED, ""),
    ],
)
def test_a_constructor_that_fails_is_told_as_such(collect, body, kind, error_type):
    evidence = collect(
        "class DQNAgent:\n    def __init__(self, observation_space, action_space):\n"
        f"        {body}\n    def act(self, observation):\n        return 0\n"
    )
    assert (evidence.construction.kind, evidence.construction.error_type) == (kind, error_type)
    assert evidence.construction.stage == "making the agent"
    assert (evidence.episodes, evidence.replays) == ((), ())


def test_a_constructor_with_other_parameters_is_told_as_such(collect):
    evidence = collect(LEANING.replace("observation_space, action_space", "size, rate, depth, net"))
    assert evidence.construction.error_type == "SignatureMismatch"


def test_a_constructor_may_take_fewer_arguments(collect):
    evidence = collect(
        "class DQNAgent:\n    def __init__(self):\n        pass\n"
        "    def act(self, observation):\n        return 0\n"
    )
    assert evidence.construction is None
    assert len(evidence.episodes) == 2


def test_an_exception_ends_its_episode_and_the_next_seed_is_played(collect):
    evidence = collect(
        acting("if self.steps == 6:\n    raise KeyError('q')\nreturn self.steps % 2")
    )
    assert [len(episode.actions) for episode in evidence.episodes] == [6, 6]
    for episode in evidence.episodes:
        assert episode.incident.kind is IncidentKind.RAISED
        assert episode.incident.stage == "calling act (step 6)"
        assert episode.incident.where().startswith("work.py:")
        assert episode.episode_return == 6.0
    # Shown the six observations it answered, it answers them again.
    assert [(t.compared, t.difference, t.incident) for t in evidence.replays] == [
        (6, None, None), (6, None, None),
    ]  # fmt: skip


def test_a_constructor_that_fails_later_is_told_with_its_seed(collect):
    number = derived(f"agent {FIRST_ENTROPY}", 2)
    evidence = collect(
        "import random\nclass DQNAgent:\n"
        "    def __init__(self, observation_space, action_space):\n"
        f"        if random.random() == {random.Random(number).random()!r}:\n"
        "            raise OSError('again')\n"
        "    def act(self, observation):\n        return 0\n"
    )
    first, second = evidence.episodes
    assert first.incident is None
    assert (second.incident.error_type, second.actions) == ("OSError", ())


@pytest.mark.parametrize(
    ("deed", "kind", "limit"),
    [
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("time.sleep(60)", IncidentKind.LIMIT, LimitName.CALL_WALL),
        ("os._exit(0)", IncidentKind.EXITED, None),
        ("raise SystemExit", IncidentKind.EXITED, None),
        ("os.kill(os.getpid(), 11)", IncidentKind.EXITED, None),
        ("os.close(3); return 0", IncidentKind.EXITED, None),
        ("os.write(3, b'\\xff' * 4); return 0", IncidentKind.LIMIT, LimitName.REPLY),
        ("os.write(3, b'\\0\\0\\0\\1?'); return 0", IncidentKind.PROTOCOL, None),
    ],
)
def test_an_end_of_the_process_ends_all_and_keeps_what_was_played(collect, deed, kind, limit):
    limits = Limits(call_wall_s=1.5, call_cpu_s=0.5)
    source = acting(f"if self.steps == 6:\n    {deed}\nreturn self.steps % 2")
    (episode,) = collect(source, limits=limits).episodes
    assert (len(episode.actions), episode.episode_return) == (6, 6.0)
    assert episode.incident.limit is limit
    assert episode.incident.kind is kind
    assert "step 6" in episode.incident.stage


BUSY = "begun = time.process_time()\nwhile time.process_time() < begun + 0.4:\n    pass"


def test_that_a_file_is_imported_once_for_each_episode_costs_the_student_nothing(collect):
    limits = Limits(part_cpu_s=2.0)
    evidence = collect(acting("return 0", before=BUSY), seeds=range(1, 9), limits=limits)
    assert [episode.incident for episode in evidence.episodes] == [None] * 8
    assert all(trial.incident is None for trial in evidence.replays)


def test_limits_of_the_part_count_over_all_processes(collect):
    limits = Limits(part_cpu_s=2.0)
    evidence = collect(acting(f"{BUSY}\nreturn 2"), seeds=range(1, 9), limits=limits)
    *_, last = evidence.episodes
    assert last.incident.limit is LimitName.PART_CPU
    assert 2 < len(evidence.episodes) < 7


@pytest.mark.parametrize("jobs", [0, 2])
def test_what_comes_after_an_end_of_the_process_is_not_kept_however_many_jobs(contexts, jobs):
    ends = (
        f"if random.random() == {random.Random(derived(f'agent {FIRST_ENTROPY}', 3)).random()!r}:"
    )
    source = acting(f"if self.steps == 4:\n    {ends} os._exit(1)\nreturn self.steps % 2")
    context = contexts("agent", source, settings=CARTPOLE, seeds=(1, 2, 3, 4, 5, 6))
    context.spare.give(jobs)
    *played, last = play_all(context).episodes
    assert [episode.seed for episode in (*played, last)] == [1, 2, 3]
    assert [episode.incident for episode in played] == [None, None]
    assert last.incident.kind is IncidentKind.EXITED


def test_an_end_in_the_second_process_is_told_with_the_replay(collect):
    source = acting("if second and self.steps == 6:\n    os._exit(0)\nreturn 0", before=SECOND)
    evidence = collect(source)
    assert all(episode.incident is None for episode in evidence.episodes)
    assert [trial.incident.kind for trial in evidence.replays] == [IncidentKind.EXITED] * 2
    assert evidence.replays[0].incident.stage == "calling act (step 6)"


def test_a_file_that_does_not_load_a_second_time_is_told_with_the_replay(collect):
    source = acting("return 0", before=f"{SECOND}\nif second:\n    raise OSError('gone')")
    evidence = collect(source)
    assert all(episode.incident is None for episode in evidence.episodes)
    (trial,) = evidence.replays
    assert (trial.compared, trial.incident.error_type) == (0, "OSError")


# --- faults and baselines -----------------------------------------------------------------------


def test_an_unknown_environment_is_a_fault(collect):
    with pytest.raises(GraderFault, match="CartPoal"):
        collect(LEANING, settings={"environment_id": "CartPoal-v1"})


def test_a_baseline_is_played_without_a_second_agent(contexts):
    evidence = play_all(contexts("agent", LEANING, settings=CARTPOLE, seeds=(1,)))
    assert len(evidence.episodes) == 1
    assert evidence.replays == ()
