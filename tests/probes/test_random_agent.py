import random

import numpy as np
import pytest

from grader.errors import GraderFault
from grader.probes import random_agent as random_agent_probe
from grader.records.incident import IncidentKind, LimitName
from grader.records.spec import Limits

SPACES = [
    "Discrete(4)",
    "Discrete(5, start=-2)",
    "MultiDiscrete([3, 5])",
    "MultiBinary(3)",
    "Box(-2.0, 1.0, (2,))",
    "Box(0, 9, (2,), dtype='int64')",
    "Dict({'steer': Discrete(3), 'gas': Box(0.0, 1.0, (1,))})",
    "Tuple((Discrete(2), Discrete(6)))",
]
HONEST = """
    import copy

    class RandomAgent:
        def __init__(self, action_space, seed=None):
            self.space = copy.deepcopy(action_space)
            self.space.seed(seed)

        def act(self, observation):
            return self.space.sample()
"""


def acting(body: str, *, before: str = "", init: str = "pass") -> str:
    lines = body.replace("\n", "\n        ")
    return (
        f"import numpy as np, os, random, time\n{before}\n"
        "class RandomAgent:\n"
        "    def __init__(self, action_space, seed=None):\n"
        "        self.space, self.steps = action_space, -1\n"
        f"        {init}\n"
        "    def act(self, observation):\n"
        "        self.steps += 1\n"
        f"        {lines}\n"
    )


@pytest.fixture(scope="module")
def collect(probe):
    def run(source, *, spaces=("Discrete(4)",), samples=200, **options):
        settings = {"spaces": list(spaces), "samples": samples, "sequence_length": 16}
        return probe("random_agent", source, settings=settings, **options)

    return run


def test_an_honest_agent_is_sampled_in_every_space(collect):
    evidence = collect(HONEST, spaces=SPACES, samples=1500)
    assert [trial.space for trial in evidence.spaces] == SPACES
    names = {trial.space: [part.name for part in trial.components] for trial in evidence.spaces}
    assert names["Discrete(4)"] == [""]
    assert names["MultiDiscrete([3, 5])"] == ["[0]", "[1]"]
    assert names[SPACES[6]] == ["['gas'][0]", "['steer']"]
    assert names[SPACES[7]] == ["[0]", "[1]"]
    for trial in evidence.spaces:
        assert (trial.incident, trial.invalid_step) == (None, None)
        assert trial.observation_codes.shape == (1500,)
        assert set(np.unique(trial.observation_codes.array())) == {0, 1, 2, 3}
        for part in trial.components:
            values = part.values.array()
            assert len(values) == 1500
            if part.choices is None:
                assert 0 <= values.min() < 0.05 < 0.95 < values.max() <= 1
            else:
                assert set(np.unique(values)) == set(range(part.choices))
                assert len(part.labels) == part.choices
    for trial in evidence.seeded:
        assert (trial.incident, trial.compared) == (None, 16)
        assert (trial.same_seed_difference, trial.interleaved_difference) == (None, None)
        assert not trial.other_seed_equal
        assert not trial.unseeded_equal


def test_labels_are_the_actions_themselves(collect):
    evidence = collect(acting("return -2"), spaces=["Discrete(5, start=-2)"])
    (part,) = evidence.spaces[0].components
    assert part.labels == ("-2", "-1", "0", "1", "2")
    assert set(part.values.array()) == {0}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (acting("return random.randrange(4)"), {"same_seed_difference": True}),
        (acting("return random.randrange(4)", init="random.seed(seed)"),
         {"interleaved_difference": True}),
        (acting("return self.rng.randrange(4)", init="self.rng = random.Random(0)"),
         {"other_seed_equal": True, "unseeded_equal": True}),
        (acting("return self.rng.randrange(4)", init="self.rng = random.Random(seed or 0)"),
         {"unseeded_equal": True}),
        (acting("return self.rng.randrange(4)", init="self.rng = random.Random(seed)"), {}),
    ],
    ids=["ignored", "shared", "fixed", "fixed without a seed", "right"],
)  # fmt: skip
def test_what_a_seed_decides_is_seen(collect, source, found):
    (trial,) = collect(source).seeded
    assert trial.incident is None
    assert (trial.same_seed_difference is not None) == found.get("same_seed_difference", False)
    if "same_seed_difference" not in found:
        seen = trial.interleaved_difference is not None
        assert seen == found.get("interleaved_difference", False)
    assert trial.other_seed_equal == found.get("other_seed_equal", False)
    assert trial.unseeded_equal == found.get("unseeded_equal", False)


@pytest.mark.parametrize("returned", ["4", "1.0", "None", "'0'", "True", "[0, 1]", "object()"])
def test_an_action_outside_the_space_ends_its_trial(collect, returned):
    evidence = collect(acting(f"return {returned} if self.steps == 50 else 0"))
    (trial,) = evidence.spaces
    assert trial.invalid_step == 50
    assert trial.invalid_action
    assert (trial.components, trial.incident) == ((), None)


# --- each stage at which it can fail ------------------------------------------------------------


def test_a_constructor_that_raises_is_told_as_such(collect):
    evidence = collect(acting("return 0", init="raise ValueError('no')"))
    assert evidence.construction.error_type == "ValueError"
    assert (evidence.spaces, evidence.seeded) == ((), ())


def test_a_space_that_the_agent_cannot_take_is_told_with_that_space(collect):
    evidence = collect(
        acting("return int(self.space.n) - 1", init="self.n = action_space.n"),
        spaces=["Discrete(4)", "MultiBinary(3)", "Box(0.0, 1.0, (1,))", "Discrete(2)"],
    )
    kinds = [trial.incident and trial.incident.error_type for trial in evidence.spaces]
    # A MultiBinary has an `n` too.
    assert kinds[0] is None
    assert kinds[2] == "AttributeError"
    assert kinds[3] is None
    assert evidence.seeded[2].incident.error_type == "AttributeError"
    assert evidence.seeded[3].incident is None


def test_an_exception_is_told_with_its_step(collect):
    (trial,) = collect(acting("if self.steps == 150:\n    raise KeyError(1)\nreturn 0")).spaces
    assert trial.incident.stage == "calling act (step 150)"
    assert trial.incident.where().startswith("work.py:")


@pytest.mark.parametrize(
    ("deed", "kind", "limit"),
    [
        ("while True: pass", IncidentKind.LIMIT, LimitName.CALL_CPU),
        ("os._exit(0)", IncidentKind.EXITED, None),
        ("raise SystemExit(0)", IncidentKind.EXITED, None),
    ],
)
def test_an_end_of_the_process_is_told_for_all_that_comes_after(collect, deed, kind, limit):
    evidence = collect(
        acting(f"if self.steps == 150:\n    {deed}\nreturn 0"),
        spaces=["Discrete(4)", "Discrete(2)"],
        limits=Limits(call_wall_s=10, call_cpu_s=0.5),
    )
    incidents = [trial.incident for trial in (*evidence.spaces, *evidence.seeded)]
    assert len(set(incidents)) == 1
    assert incidents[0].limit is limit
    assert incidents[0].kind is kind


def test_a_file_that_does_not_load_a_second_time_is_told_with_the_seeds(collect):
    value = random.Random(random_agent_probe._SECOND_ENTROPY).random()
    evidence = collect(
        acting("return 0", before=f"if random.random() == {value!r}:\n    raise OSError('gone')")
    )
    assert evidence.spaces[0].incident is None
    assert [trial.incident.error_type for trial in evidence.seeded] == ["OSError"]


@pytest.mark.parametrize("answer", ["None", "[0]", "7", "[0] * 5000"])
def test_a_forged_list_of_answers_is_an_incident(collect, answer):
    evidence = collect(
        acting("return 0", before="import grader.worker.session as session")
        + f"session.STUDENT_HANDLERS['invoke_many'] = lambda session, request: {answer}\n"
    )
    assert evidence.spaces[0].incident.kind is IncidentKind.PROTOCOL


@pytest.mark.parametrize("space", ["Box(-inf, 1.0, (2,))", "Discrete(0)", "Text(4)", "os.system"])
def test_a_space_that_cannot_be_sampled_is_the_assignments_fault(collect, space):
    with pytest.raises(GraderFault):
        collect(HONEST, spaces=[space])


def test_a_space_without_bounds_is_the_assignments_fault(collect):
    with pytest.raises(GraderFault, match="unbounded"):
        collect(HONEST, spaces=["Box(-1e400, 1e400, (1,))"])
