"""How well an agent plays, held against random play and the reference on the same episodes."""

from __future__ import annotations

from typing import Final

import numpy as np

from grader.assignments.registry import JudgeInput
from grader.checks.incidents import incident_outcome, incident_verdict
from grader.checks.interface import graded, interface_verdict
from grader.checks.invalid_actions import counted_returns
from grader.checks.played import AgentCode, fault, nothing, occasion, outside_space
from grader.checks.points_rule import deciding, fraction, is_near, points_basis, reaches
from grader.checks.trials import incident_findings
from grader.records.agent_evidence import AgentEvidence
from grader.records.agent_settings import (
    AgentSettings,
    Decides,
    Measure,
    PerformanceSettings,
    environment_alone,
)
from grader.records.report import SeedSet
from grader.records.result import (
    AgentFigures,
    EpisodeReturns,
    Estimate,
    Finding,
    Outcome,
    PointsBasis,
    ReturnsComparison,
    Severity,
    Verdict,
)
from grader.records.spec import EpisodeSet
from grader.statistics.comparison import FEWEST_EPISODES, Compared, Estimated, Level, compare
from grader.statistics.intervals import NoGap

WORST_SHOWN: Final = 3
"""Episodes that are named as the worst."""

SAME_ACTION_STEPS: Final = 20
"""Actions from which always taking the same one is no chance."""


def judge_performance(request: JudgeInput) -> Verdict:
    """Points by the assignment's rule, on the reference agents' episodes."""
    evidence: AgentEvidence = request.evidence
    settings: PerformanceSettings = request.settings
    if (missing := interface_verdict(evidence)) is not None:
        return missing
    episodes = evidence.episodes
    ended = [(occasion(episode), episode.incident) for episode in episodes]
    place = evidence.place("act")
    told = (*incident_findings(ended, place), *outside_space(evidence))
    for outcome in (Outcome.FAULT, Outcome.INVALID):
        for _, incident in ended:
            if incident is not None and incident_outcome(incident) is outcome:
                first = incident_verdict(incident, place=place)
                return first if outcome is Outcome.FAULT else nothing(outcome, told)
    references = _references(request)
    if isinstance(references, Verdict):
        return references
    if all(episode.incident is not None for episode in episodes):
        return nothing(Outcome.FAILED, told)

    returns = counted_returns(episodes, references, settings.invalid_action)
    try:
        shown = _episode_returns(request, references, returns)
    except NoGap as problem:
        return fault(f"the baseline cannot be used: {problem}")
    basis = shown.points
    assert basis is not None
    verdict = graded(fraction(basis), told)
    if verdict.outcome is not Outcome.PASSED:
        # An episode that breaks off at an error or a wrong action says little about the policy.
        told = (*told, *(() if told else _same_action(evidence)))
        told = (*told, _shortfall(evidence, shown, basis, explained=bool(told)))
    if basis.borderline:
        told = (*told, _borderline(shown, basis))
    return verdict.model_copy(update={"findings": told, "exhibits": (shown, *evidence.films)})


def _references(request: JudgeInput) -> EpisodeSet | Verdict:
    """The reference agents' returns on the episodes that were played, or a fault."""
    evidence: AgentEvidence = request.evidence
    settings: AgentSettings = request.part_settings
    baseline = request.baseline
    if baseline is None:
        return fault("there is no baseline for this part")
    references = baseline.final if evidence.seed_set is SeedSet.FINAL else baseline.public
    played = tuple(episode.seed for episode in evidence.episodes)
    if not played:
        return fault("no episode was played")
    same = baseline.environment is None or baseline.environment == environment_alone(settings)
    if played != references.seeds or baseline.environment_id != evidence.environment_id or not same:
        return fault("the baseline does not fit: its environment or its seeds are not those played")
    return references


def _episode_returns(
    request: JudgeInput, references: EpisodeSet, returns: tuple[float, ...]
) -> EpisodeReturns:
    evidence: AgentEvidence = request.evidence
    settings: PerformanceSettings = request.settings
    found = compare(
        returns, references.random_returns, references.dqn_returns,
        resamples=settings.bootstrap_samples, seed=settings.bootstrap_seed,
    )  # fmt: skip
    normalized = _estimate(found.normalized)
    comparison = _comparison(found)
    return EpisodeReturns(
        environment_id=evidence.environment_id,
        seeds=references.seeds,
        student=returns,
        random=references.random_returns,
        dqn=references.dqn_returns,
        student_mean=found.student.mean.value,
        random_mean=found.random.mean.value,
        dqn_mean=found.dqn.mean.value,
        normalized_score=normalized.value,
        normalized_low=normalized.low,
        normalized_high=normalized.high,
        comparison=comparison,
        points=points_basis(settings, normalized, comparison),
        versions=evidence.versions,
        reference_versions=dict(request.reference_versions),
    )


def _estimate(found: Estimated) -> Estimate:
    return Estimate(value=found.value, low=found.interval.low, high=found.interval.high)


def _figures(found: Level) -> AgentFigures:
    return AgentFigures(mean=_estimate(found.mean), iqm=_estimate(found.iqm))


def _comparison(found: Compared) -> ReturnsComparison:
    return ReturnsComparison(
        student=_figures(found.student),
        random=_figures(found.random),
        dqn=_figures(found.dqn),
        over_random=_estimate(found.over_random),
        over_dqn=_estimate(found.over_dqn),
        gain=_estimate(found.gain),
        difference=_estimate(found.difference),
    )


def _same_action(evidence: AgentEvidence) -> tuple[Finding, ...]:
    taken = [action for episode in evidence.episodes for action in episode.actions]
    if len(taken) < SAME_ACTION_STEPS or len(set(taken)) > 1:
        return ()
    return (
        Finding(
            code=AgentCode.SAME_ACTION,
            severity=Severity.ERROR,
            claim="The agent takes the same action at every step of every episode.",
            where=evidence.place("act"),
            expected="actions that depend on the observation",
            received=f"action {taken[0]}, {len(taken)} times",
            try_="Print the Q-values of a few observations. If they are nan, train again and save "
            "only weights that are finite; if they differ, take the argmax over the actions and "
            "not over the batch (`argmax(q_values, axis=-1)`).",
        ),
    )


_MEASURED: Final = {
    Measure.NORMALIZED: "a normalised score",
    Measure.MEAN_RETURN: "a mean return",
    Measure.IQM: "an interquartile mean of the returns",
}


def _asked(basis: PointsBasis) -> str:
    """What full marks need."""
    bar = basis.bars[-1]
    sure = " at the lower end of its 95 % interval" if basis.decides is Decides.INTERVAL_LOW else ""
    if basis.measure is Measure.NORMALIZED:
        return (
            f"a normalised score of {bar.at:g}{sure}, which is a mean return of {bar.at_return:.1f}"
        )
    return f"{_MEASURED[basis.measure]} of {bar.at:g}{sure}"


def _standing(shown: EpisodeReturns, basis: PointsBasis) -> str:
    """What the agent reached, by the numbers that its points hang on."""
    iqm = f", interquartile mean {basis.result.value:.1f}" if basis.measure is Measure.IQM else ""
    low = (
        f"; lower end of the 95 % interval {deciding(basis):.2f}"
        if basis.decides is Decides.INTERVAL_LOW
        else ""
    )
    return (
        f"a mean return of {shown.student_mean:.1f}{iqm}, normalised score "
        f"{shown.normalized_score:.2f}{low} "
        f"(random actions {shown.random_mean:.1f}, reference {shown.dqn_mean:.1f})"
    )


def _shortfall(
    evidence: AgentEvidence, shown: EpisodeReturns, basis: PointsBasis, *, explained: bool
) -> Finding:
    """What the agent reached, and what full marks need.

    Args:
        evidence: what was played.
        shown: the returns.
        basis: what the points hang on.
        explained: whether a finding above says why already.
    """
    standing = _standing(shown, basis)
    if shown.normalized_score <= 0:
        return Finding(
            code=AgentCode.BELOW_RANDOM,
            severity=Severity.ERROR,
            claim="On average the agent plays no better than random actions.",
            where=evidence.place("act"),
            expected=f"{_asked(basis)}, for full marks",
            received=standing,
            try_="Mend what is told above first."
            if explained
            else "Make sure that the trained weights are loaded, that observations are prepared as "
            "in training, and that the action with the largest Q-value is taken.",
        )
    shortfalls = np.array(shown.dqn) - np.array(shown.student)
    order = np.argsort(-shortfalls, kind="stable")[:WORST_SHOWN]
    worst = ", ".join(
        f"seed {shown.seeds[i]} ({shown.student[i]:g} instead of {shown.dqn[i]:g})"
        for i in order
        if shortfalls[i] > 0
    )
    return Finding(
        code=AgentCode.BELOW_REFERENCE,
        severity=Severity.ERROR,
        claim=_between(shown),
        where=evidence.place("act"),
        expected=_asked(basis),
        received=f"{standing}; worst: {worst}" if worst else standing,
        try_="Mend what is told above first."
        if explained
        else "Train longer and keep the weights that played best, not the last ones; then look at "
        "how the worst episodes end.",
    )


def _between(shown: EpisodeReturns) -> str:
    """That it stands between random play and what is asked, and no more than the episodes show."""
    below = shown.student_mean < shown.dqn_mean
    asked = "the reference" if below else "full marks ask for"
    compared = shown.comparison
    enough = len(shown.student) >= FEWEST_EPISODES
    if enough and compared is not None and compared.gain.low > 0:
        return f"The agent plays better than random actions, but not as well as {asked}."
    return (
        "The agent's mean return is higher than with random actions, but not as high as "
        f"{'that of the reference' if below else asked}; that it plays better than random actions "
        "is not shown by these episodes."
    )


def _borderline(shown: EpisodeReturns, basis: PointsBasis) -> Finding:
    """That other episodes could have decided otherwise, where points jump at a bar."""
    result = basis.result
    near = [bar for bar in basis.bars if is_near(result, bar)]
    bars = " and ".join(f"{bar.at:g}" for bar in near)
    reached = reaches(deciding(basis), near[-1].at)
    episodes = "episode" if len(shown.student) == 1 else "episodes"
    return Finding(
        code=AgentCode.BORDERLINE,
        severity=Severity.NOTE,
        claim="The result is too close to the bar to be sure: other episodes could have decided "
        "otherwise.",
        expected=f"{_MEASURED[basis.measure]} clear of the bar at {bars}",
        received=f"{result.value:.2f}, 95 % interval {result.low:.2f} to {result.high:.2f}, over "
        f"{len(shown.student)} {episodes}; by the rule the bar counts as "
        f"{'reached' if reached else 'not reached'}",
        try_="Nothing has to be mended for this. More episodes would tell; whether to play more is "
        "for the instructor to decide.",
    )
