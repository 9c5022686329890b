"""Judges of a random agent: can it act, is it uniform, does its seed decide its actions?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.bias import bias_findings, few
from grader.checks.incidents import incident_outcome, incident_verdict
from grader.checks.interface import graded, interface_verdict, passed
from grader.checks.trials import incident_findings
from grader.records.evidence import RandomAgentEvidence, SeededTrial, SpaceTrial
from grader.records.incident import Incident, IncidentKind
from grader.records.result import ActionCounts, Finding, Severity, Verdict
from grader.records.settings import UniformSettings
from grader.statistics.uniformity import level_per_test, space_tests


class RandomAgentCode(StrEnum):
    """Codes of findings about single actions and about seeds."""

    OUTSIDE_SPACE = "RA101"
    SEED_IGNORED = "RA201"
    SHARED_GENERATOR = "RA202"
    SEED_WITHOUT_EFFECT = "RA203"
    UNSEEDED_FIXED = "RA204"
    RESEEDED_EVERY_STEP = "RA205"


_LONG_DECIMAL: Final = re.compile(r"\d+\.\d{6,}")

MAX_SHOWN_CHOICES: Final = 64
"""Values of an action above which no table of counts is shown."""

CHANCE_BITS: Final = 20.0
"""Sequences with fewer bits than this are equal by chance too often to say anything."""


def judge_interface(request: JudgeInput) -> Verdict:
    """Everything is defined, and the agent acts in the first action space."""
    evidence: RandomAgentEvidence = request.evidence
    verdict = interface_verdict(evidence)
    if verdict is not None:
        return verdict
    if not evidence.spaces:
        return _fault("no action space was tried")
    incident = evidence.spaces[0].incident
    return passed() if incident is None else incident_verdict(incident, place=_made(evidence))


def judge_uniform(request: JudgeInput) -> Verdict:
    """Whether no test tells the agent from a uniform one, space by space.

    Half of the points are for the first space, the one games have; the other half in equal shares
    for the rest. An agent that walks in circles in its own game is not saved by spaces it never
    meets.
    """
    evidence: RandomAgentEvidence = request.evidence
    settings: UniformSettings = request.settings
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    trials = evidence.spaces
    planned = len(request.part_settings.spaces)
    ended = _occasions(trials)
    fault = _fault_among(incident for _, incident in ended)
    if fault is not None:
        return fault
    if not trials or (len(trials) < planned and trials[-1].incident is None):
        return _fault(f"{len(trials)} of {planned} action spaces were tried")
    if not all(_complete(trial) for trial in trials):
        return _fault("actions are missing from the evidence")
    findings = [*incident_findings(ended, _made(evidence))]
    if len(ended) == len(trials):
        outcome = incident_outcome(ended[0][1])
        return Verdict(outcome=outcome, fraction=0.0, findings=tuple(findings))

    results = [() if _ended(trial) else space_tests(trial) for trial in trials]
    level = level_per_test(settings.false_alarm, sum(len(tests) for tests in results))
    rejected = [tuple(test for test in tests if test.p_value < level) for tests in results]
    where = evidence.place("act")
    findings += _outside([trial for trial in trials if trial.invalid_step is not None], where)
    findings += bias_findings(zip(trials, rejected, strict=True), level, where)
    passing = [
        not failed and not _ended(trial) for trial, failed in zip(trials, rejected, strict=True)
    ]
    verdict = graded(_first_counts_half(passing, max(planned, len(trials))), tuple(findings))
    return verdict.model_copy(update={"exhibits": _action_counts(trials)})


def _first_counts_half(passing: Sequence[bool], planned: int) -> float:
    if planned == 1:
        return float(passing[0])
    return 0.5 * passing[0] + 0.5 * sum(passing[1:]) / (planned - 1)


def judge_seeded(request: JudgeInput) -> Verdict:
    """The share of action spaces in which the seed, and it alone, decides the actions."""
    evidence: RandomAgentEvidence = request.evidence
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    trials = evidence.seeded
    ended = tuple((t.space, t.incident) for t in trials if t.incident is not None)
    if not trials:
        before = next((t.incident for t in reversed(evidence.spaces) if t.incident), None)
        return _fault("no seeds were tried") if before is None else incident_verdict(before)
    fault = _fault_among(incident for _, incident in ended)
    if fault is not None:
        return fault
    if len(ended) == len(trials):
        outcome = incident_outcome(ended[0][1])
        return Verdict(
            outcome=outcome, fraction=0.0, findings=incident_findings(ended, _made(evidence))
        )

    reseeded = any(_constant(evidence, t) and not t.other_seed_equal for t in trials)
    problems: dict[RandomAgentCode, list[SeededTrial]] = {}
    passing = 0
    for trial in trials:
        if trial.incident is not None:
            continue
        codes = _seeded_problems(evidence, trial, reseeded=reseeded)
        passing += not any(_is_error(code) for code in codes)
        for code in codes:
            problems.setdefault(code, []).append(trial)
    findings = [*incident_findings(ended, _made(evidence))]
    findings += [
        _seeded_finding(evidence, code, problems[code])
        for code in RandomAgentCode
        if code in problems
    ]
    return graded(passing / len(trials), tuple(findings))


def _fault(message: str) -> Verdict:
    return incident_verdict(Incident(kind=IncidentKind.FAULT, stage="judging", message=message))


def _fault_among(incidents: Iterable[Incident]) -> Verdict | None:
    faults = (incident for incident in incidents if incident.kind is IncidentKind.FAULT)
    first = next(faults, None)
    return None if first is None else incident_verdict(first)


def _ended(trial: SpaceTrial) -> bool:
    return trial.incident is not None or trial.invalid_step is not None


def _complete(trial: SpaceTrial) -> bool:
    lengths = {component.values.shape for component in trial.components}
    return _ended(trial) or lengths <= {(trial.samples,)}


def _occasions(trials: Iterable[SpaceTrial]) -> tuple[tuple[str, Incident], ...]:
    return tuple((t.space, t.incident) for t in trials if t.incident is not None)


def _made(evidence: RandomAgentEvidence) -> str:
    return evidence.place("agent_class")


def _outside(trials: list[SpaceTrial], where: str) -> tuple[Finding, ...]:
    """The finding about actions outside their space: the first in full, other spaces by name."""
    if not trials:
        return ()
    first, *others = trials
    action = _LONG_DECIMAL.sub(lambda match: f"{float(match[0]):.6g}", first.invalid_action)
    # An integer is asked for, and no bound of the space makes one of a float.
    rounded = first.space.startswith("Discrete") and "float" in action
    return (Finding(
        code=RandomAgentCode.OUTSIDE_SPACE,
        severity=Severity.ERROR,
        claim="An action is not in the action space.",
        where=where,
        expected=f"an element of {first.space}",
        received=f"{action} at step {first.invalid_step}"
        + (f" (also with {few(trial.space for trial in others)})" if others else ""),
        try_="Return an integer: draw it with `integers(n)` and add `start`, or return "
        "`action_space.sample()`." if rounded else
        "Take `n`, `start`, `low`, `high`, shape and dtype from the action space you are "
        "given, or return `action_space.sample()`.",
    ),)  # fmt: skip


def _action_counts(trials: Iterable[SpaceTrial]) -> tuple[ActionCounts, ...]:
    for trial in trials:
        for component in trial.components:
            if component.choices is None or not 1 < component.choices <= MAX_SHOWN_CHOICES:
                continue
            values = component.values.array()
            labels = component.labels or tuple(str(index) for index in range(component.choices))
            return (
                ActionCounts(
                    space=f"{trial.space} {component.name}".strip(),
                    labels=labels,
                    counts=tuple(np.bincount(values, minlength=component.choices).tolist()),
                    expected=values.size / component.choices,
                ),
            )
    return ()


# --- what is wrong with the seeding -------------------------------------------------------------


_SEEDING: Final = {
    RandomAgentCode.SEED_IGNORED: (
        "Two agents made with the same seed act differently.",
        "the same actions from the same seed, in every run",
        "Make one generator in `__init__` with `numpy.random.default_rng(seed)` (or seed a copy "
        "of the action space) and draw every action from it.",
    ),
    RandomAgentCode.SHARED_GENERATOR: (
        "Two agents that are used in turn disturb each other's actions.",
        "the same actions, whoever else draws random numbers",
        "Do not use the global generators (`random.seed`, `numpy.random.seed`) or an object that "
        "agents share; give each agent a generator of its own: "
        "`self.rng = numpy.random.default_rng(seed)`.",
    ),
    RandomAgentCode.SEED_WITHOUT_EFFECT: (
        "Agents made with different seeds all act the same.",
        "other actions from another seed",
        "Draw from a generator made from the `seed` you are given, such as "
        "`numpy.random.default_rng(seed)`; do not write a number there.",
    ),
    RandomAgentCode.UNSEEDED_FIXED: (
        "Without a seed, the agent takes the same actions in every run.",
        "other actions in every run when `seed` is None",
        "Pass `None` on to the generator; it then seeds itself from the operating system.",
    ),
    RandomAgentCode.RESEEDED_EVERY_STEP: (
        "The generator starts anew at every step, so that a seed always gives the same action.",
        "a sequence of actions that the seed decides",
        "Make and seed the generator once in `__init__`, and only draw from it in `act`.",
    ),
}


def _is_error(code: RandomAgentCode) -> bool:
    # Neither breaks the promise that a seed decides the actions; the second costs points where
    # actions are counted.
    return code not in {RandomAgentCode.UNSEEDED_FIXED, RandomAgentCode.RESEEDED_EVERY_STEP}


def _seeded_problems(
    evidence: RandomAgentEvidence, trial: SeededTrial, *, reseeded: bool
) -> tuple[RandomAgentCode, ...]:
    if trial.same_seed_difference is not None:
        return (RandomAgentCode.SEED_IGNORED,)
    found = []
    if trial.interleaved_difference is not None:
        found.append(RandomAgentCode.SHARED_GENERATOR)
    if reseeded and _constant(evidence, trial):
        found.append(RandomAgentCode.RESEEDED_EVERY_STEP)
    elif _bits(evidence, trial) >= CHANCE_BITS:
        if trial.other_seed_equal:
            found.append(RandomAgentCode.SEED_WITHOUT_EFFECT)
        elif trial.unseeded_equal:
            found.append(RandomAgentCode.UNSEEDED_FIXED)
    return tuple(found)


def _seeded_finding(
    evidence: RandomAgentEvidence, code: RandomAgentCode, trials: list[SeededTrial]
) -> Finding:
    claim, expected, advice = _SEEDING[code]
    spaces = few(trial.space for trial in trials)
    received = {
        RandomAgentCode.SEED_IGNORED: "other actions",
        RandomAgentCode.SHARED_GENERATOR: "other actions than when used alone",
    }.get(code, "the same actions")
    return Finding(
        code=code,
        severity=Severity.ERROR if _is_error(code) else Severity.WARNING,
        claim=claim,
        where=evidence.place("agent_class"),
        expected=expected,
        received=f"{received} with {spaces}",
        try_=advice,
    )


def _space_trial(evidence: RandomAgentEvidence, trial: SeededTrial) -> SpaceTrial | None:
    return next((space for space in evidence.spaces if space.space == trial.space), None)


def _constant(evidence: RandomAgentEvidence, trial: SeededTrial) -> bool:
    space = _space_trial(evidence, trial)
    if space is None or not space.components:
        return False
    return all(np.unique(item.values.array()).size == 1 for item in space.components)


def _bits(evidence: RandomAgentEvidence, trial: SeededTrial) -> float:
    """How much a sequence of the trial says: its bits, if the actions are uniform."""
    space = _space_trial(evidence, trial)
    if space is None or not space.components:
        return math.inf
    per_action = sum(math.log2(item.choices or 2**20) for item in space.components)
    return per_action * trial.compared


CHECKS: Final = (
    CheckKind(
        id="random_agent.interface",
        settings=NoSettings,
        judge=judge_interface,
        description="The class and its method are there, and it acts in the first action space.",
    ),
    CheckKind(
        id="random_agent.uniform",
        settings=UniformSettings,
        judge=judge_uniform,
        description="Actions are in the space, equally likely, and independent of the past, of the "
        "observation and of each other; half of the points for the first space, half for the rest.",
    ),
    CheckKind(
        id="random_agent.seeded",
        settings=NoSettings,
        judge=judge_seeded,
        description="The same seed gives the same actions, another seed others, and other agents "
        "do not interfere; points by the share of spaces.",
    ),
)
"""What a `random_agent` part can be checked for."""
