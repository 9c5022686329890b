"""Replay buffers, judged from the numbers of the transitions that came back."""

import numpy as np
import pytest

from grader.assignments.registry import JudgeInput
from grader.checks.replay_buffer import CHECKS
from grader.records.arrays import ArrayRecord
from grader.records.evidence import Symbol
from grader.records.function_settings import ReplayBufferSettings, SamplingSettings
from grader.records.incident import Incident, IncidentKind, LimitName
from grader.records.learning_evidence import BufferTrial, ReplayBufferEvidence
from grader.records.result import Outcome
from grader.records.spec import CheckSpec, Isolation, PartSpec

JUDGES = {kind.id.partition(".")[2]: kind.judge for kind in CHECKS}
CAPACITY, SIZE, BATCHES = 50, 16, 400
SETTINGS = ReplayBufferSettings(capacity=CAPACITY, batch_size=SIZE, batches=BATCHES)
SHAPES = {"state": (SIZE, 4), "action": (SIZE,), "reward": (SIZE,), "next_state": (SIZE, 4),
          "done": (SIZE,)}  # fmt: skip
DTYPES = {"state": "float32", "action": "int64", "reward": "float64", "next_state": "float32",
          "done": "bool"}  # fmt: skip


def trial(stored, batches, length=None, **fields):
    """A trial whose batches hold whole transitions of these numbers."""
    numbers = np.repeat(np.asarray(batches)[..., None], 5, axis=-1)
    return BufferTrial(
        label="case", stored=stored, length=min(stored, CAPACITY) if length is None else length,
        **{"form": "columns", "shapes": SHAPES, "dtypes": DTYPES,
           "batches": ArrayRecord.of(numbers)} | fields,
    )  # fmt: skip


def drawn(rng, stored, count, replace=False):
    oldest = max(stored - CAPACITY, 0)
    return np.array(
        [oldest + rng.choice(stored - oldest, SIZE, replace=replace) for _ in range(count)]
    )


def evidence(seed=1, **fields):
    rng = np.random.default_rng(seed)
    parts = {
        "filling": trial(25, drawn(rng, 25, 1)),
        "overflowing": trial(107, drawn(rng, 107, 40)),
        "sampling": trial(53, drawn(rng, 53, BATCHES)),
        "aliasing": trial(25, drawn(rng, 25, 40)),
        "oversampling": BufferTrial(label="case", stored=5, length=5, raised="ValueError"),
        "seeded": (trial(25, drawn(np.random.default_rng(9), 25, 6)),) * 2,
    }
    return ReplayBufferEvidence(
        part="buffer", file="work.py", isolation=Isolation.PROCESS,
        symbols=(Symbol(role="buffer_class", name="ReplayBuffer", line=3, parameters=()),
                 Symbol(role="sample", name="sample", line=9, parameters=())),
        **parts | fields,
    )  # fmt: skip


def judged(name, seen, settings=None, part=SETTINGS):
    check = CheckSpec(title="check", points=1)
    spec = PartSpec(title="Part", kind="replay_buffer", file="work.py", checks={"x": check})
    return JUDGES[name](
        JudgeInput(
            part_id="buffer", part=spec, check=check, part_settings=part,
            settings=settings or SamplingSettings(), evidence=seen,
        )
    )  # fmt: skip


def codes(verdict):
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize("name", JUDGES)
def test_an_honest_buffer_passes_every_check(name):
    verdict = judged(name, evidence(), SamplingSettings(seeded=True))
    assert (verdict.outcome, verdict.findings) == (Outcome.PASSED, ())


@pytest.mark.parametrize("replace", [False, True])
def test_the_false_alarm_is_kept(replace):
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, 2])
        seen = evidence(sampling=trial(53, drawn(rng, 53, BATCHES, replace)))
        settings = SamplingSettings(false_alarm=0.04, without_repeats=False)
        alarms += judged("sampling", seen, settings).outcome is not Outcome.PASSED
    assert alarms <= 5


def test_a_transition_that_never_comes_is_found():
    rng = np.random.default_rng(3)
    batches = np.array([3 + rng.choice(49, SIZE, replace=False) for _ in range(BATCHES)])
    assert codes(judged("sampling", evidence(sampling=trial(53, batches)))) == {"RB111"}


@pytest.mark.parametrize(
    "batches",
    [
        3 + np.arange(SIZE * BATCHES).reshape(BATCHES, SIZE) % CAPACITY,
        np.repeat(drawn(np.random.default_rng(5), 53, BATCHES // 2), 2, axis=0),
    ],
    ids=["in order", "each batch twice"],
)
def test_batches_that_depend_on_each_other_are_found(batches):
    verdict = judged("sampling", evidence(sampling=trial(53, batches)))
    assert codes(verdict) == {"RB112"}
    assert verdict.fraction == 0.5


def test_repeats_cost_only_where_they_are_forbidden():
    seen = evidence(sampling=trial(53, drawn(np.random.default_rng(6), 53, BATCHES, replace=True)))
    assert codes(judged("sampling", seen)) == {"RB113"}
    allowed = judged("sampling", seen, SamplingSettings(without_repeats=False))
    assert allowed.outcome is Outcome.PASSED


def test_seeds_count_only_where_they_are_asked_for():
    rng = np.random.default_rng(8)
    seen = evidence(seeded=tuple(trial(25, drawn(rng, 25, 6)) for _ in range(2)))
    assert judged("sampling", seen).outcome is Outcome.PASSED
    assert codes(judged("sampling", seen, SamplingSettings(seeded=True))) == {"RB114"}


@pytest.mark.parametrize("rule", ["fewer", "repeats", "error"])
def test_too_large_batches_follow_the_assignments_rule(rule):
    answers = {
        "fewer": trial(5, np.arange(5)[None]),
        "repeats": trial(5, np.arange(SIZE)[None] % 5),
        "error": BufferTrial(label="case", stored=5, raised="ValueError"),
    }
    part = SETTINGS.model_copy(update={"oversampling": rule})
    for name, answer in answers.items():
        verdict = judged("sampling", evidence(oversampling=answer), part=part)
        assert (codes(verdict) == set()) == (name == rule)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"dtypes": DTYPES | {"action": "float32"}}, "RB107"),
        ({"dtypes": DTYPES | {"reward": "int64"}}, "RB107"),
        ({"dtypes": DTYPES | {"state": "tuple"}}, "RB107"),
        ({"shapes": SHAPES | {"done": (SIZE, 1)}}, "RB106"),
        ({"shapes": {name: (8, *shape[1:]) for name, shape in SHAPES.items()}}, "RB116"),
        ({"form": "rows"}, "RB105"),
        ({"form": "", "received": "None"}, "RB104"),
    ],
)
def test_the_form_of_a_batch_is_looked_at(fields, code):
    rng = np.random.default_rng(2)
    verdict = judged("batches", evidence(filling=trial(25, drawn(rng, 25, 1), **fields)))
    assert codes(verdict) == {code}
    assert verdict.fraction == (0.0 if code == "RB104" else 0.5)


def test_values_of_two_transitions_in_one_are_mixed():
    numbers = np.repeat(drawn(np.random.default_rng(2), 53, BATCHES)[..., None], 5, axis=-1)
    numbers[..., 2] = numbers[::-1, :, 2]
    mixed = trial(53, [[0]]).model_copy(update={"batches": ArrayRecord.of(numbers)})
    (finding,) = judged("batches", evidence(sampling=mixed)).findings
    assert finding.code == "RB108"
    assert "reward" in finding.expected


def test_values_that_were_never_stored_are_told_as_such():
    numbers = np.repeat(drawn(np.random.default_rng(2), 53, BATCHES)[..., None], 5, axis=-1)
    numbers[:20, :, 2] = -1
    unknown = trial(53, [[0]]).model_copy(update={"batches": ArrayRecord.of(numbers)})
    assert codes(judged("batches", evidence(sampling=unknown))) == {"RB110"}


def test_a_process_that_ended_leaves_the_rest_open():
    end = Incident(kind=IncidentKind.LIMIT, stage="storing", message="", limit=LimitName.MEMORY)
    ended = BufferTrial(label="case", incident=end)
    seen = evidence(sampling=ended, aliasing=ended, oversampling=ended, seeded=(ended,))
    assert judged("capacity", seen).outcome is Outcome.PASSED
    for name in ("batches", "sampling"):
        assert judged(name, seen).outcome is Outcome.INVALID


def numbered(stored, numbers, **fields):
    """A trial with these numbers of transitions, shape (batches, batch, 5)."""
    return trial(stored, [[0]]).model_copy(
        update={"batches": ArrayRecord.of(np.asarray(numbers, np.int64)), **fields}
    )


JUNK = {
    "RB104": {"form": "", "received": "None", "batches": None},
    "RB116": {"batches": ArrayRecord.of(np.zeros((40, 0, 5), np.int64))},
    "RB110": {"batches": ArrayRecord.of(np.full((40, SIZE, 5), -1, np.int64))},
}


@pytest.mark.parametrize("code", JUNK)
def test_batches_that_hold_nothing_earn_nothing(code):
    seen = {
        name: trial(stored, [[0]]).model_copy(update=JUNK[code])
        for name, stored in (("filling", 25), ("overflowing", 107), ("sampling", 53),
                             ("aliasing", 25), ("oversampling", 5))
    }  # fmt: skip
    junk = evidence(**seen, seeded=(seen["filling"],) * 2)
    for name in ("capacity", "sampling"):
        verdict = judged(name, junk, SamplingSettings(seeded=True))
        assert (codes(verdict), verdict.fraction) == ({code}, 0.0)
    verdict = judged("batches", junk)
    assert verdict.fraction == 0.0
    assert codes(verdict) & {"RB104", "RB110"}


def test_batches_of_another_size_tell_nothing_about_what_is_kept_and_drawn():
    rng = np.random.default_rng(4)
    seen = evidence(overflowing=trial(107, drawn(rng, 107, 40)[:, :8]),
                    sampling=trial(53, drawn(rng, 53, BATCHES)[:, :8]))  # fmt: skip
    for name in ("capacity", "sampling"):
        verdict = judged(name, seen)
        assert (codes(verdict), verdict.fraction) == ({"RB116"}, 0.0)


def test_two_seeded_buffers_without_batches_do_not_draw_the_same():
    nothing = numbered(25, np.zeros((6, 0, 5)))
    verdict = judged("sampling", evidence(seeded=(nothing,) * 2), SamplingSettings(seeded=True))
    assert codes(verdict) == {"RB114"}


def test_a_buffer_that_keeps_too_much_may_still_draw_evenly():
    rng = np.random.default_rng(12)
    kept = np.array([rng.choice(53, SIZE, replace=False) for _ in range(BATCHES)])
    assert judged("sampling", evidence(sampling=trial(53, kept))).outcome is Outcome.PASSED
    verdict = judged("sampling", evidence(sampling=trial(53, np.zeros_like(kept))))
    assert "RB111" in codes(verdict)


def test_a_length_that_is_no_whole_number_is_told():
    seen = evidence(filling=trial(25, drawn(np.random.default_rng(1), 25, 1)).model_copy(
        update={"length": None, "length_received": "True (bool)"}))  # fmt: skip
    (finding,) = judged("capacity", seen).findings
    assert (finding.code, finding.received) == ("RB103", "no whole number: True (bool)")


@pytest.mark.parametrize(("copies", "fraction", "severity"), [
    (False, 1.0, "warning"), (True, pytest.approx(2 / 3), "error"),
])  # fmt: skip
def test_keeping_references_costs_only_where_copies_are_asked_for(copies, fraction, severity):
    changed = np.full((40, SIZE, 5), -1, np.int64)
    verdict = judged("batches", evidence(aliasing=numbered(25, changed)),
                     part=SETTINGS.model_copy(update={"copies": copies}))  # fmt: skip
    (finding,) = verdict.findings
    assert (finding.code, finding.severity) == ("RB109", severity)
    assert verdict.fraction == fraction
