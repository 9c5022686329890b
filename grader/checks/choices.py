"""Judges what a function draws that should choose greedily, or at random with probability ε.

ε-greedy: with probability ε an action drawn uniformly from all of them (the best one included),
otherwise the best; Sutton and Barto, *Reinforcement Learning* (2nd edition, 2018), section 2.2. Of
several best actions any may be chosen, the same one every time too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.checks.interface import graded
from grader.checks.trials import cases_text, incident_findings, worst
from grader.records.arrays import ArrayRecord
from grader.records.evidence import FunctionTrial
from grader.records.result import Finding, Severity, Verdict
from grader.statistics.proportions import proportion_p
from grader.statistics.uniformity import frequencies, level_per_test, repeat_profile, single_value

Ints = npt.NDArray[np.int64]

SLIP_CREDIT: Final = 0.5
"""Least share of the points when all that is wrong is one known slip."""
_TESTS_PER_TRIAL: Final = 4


class ChoiceCode(StrEnum):
    """Codes of findings about how actions are chosen."""

    NEVER_EXPLORES = "FN231"
    EXPLORES_INVERTED = "FN232"
    ARGMIN = "FN233"
    GREEDY_SHARE = "FN234"
    UNEVEN = "FN235"
    NO_ACTION = "FN236"
    NEVER_BEST = "FN237"
    ALWAYS_RANDOM = "FN238"


_SLIPS: Final = frozenset({
    ChoiceCode.EXPLORES_INVERTED, ChoiceCode.ARGMIN, ChoiceCode.NEVER_BEST,
})  # fmt: skip


@dataclass(frozen=True)
class _Draws:
    """The actions drawn with one ε."""

    label: str
    values: npt.NDArray[Any]
    epsilon: float
    actions: Ints | None
    """None where something else than actions came back."""
    received: str
    """What came back, where it was no action."""
    level: float

    @property
    def best(self) -> Ints:
        """The actions that are worth most."""
        return np.flatnonzero(self.values == self.values.max())

    @property
    def greedy(self) -> int:
        """How often a best action was chosen."""
        return 0 if self.actions is None else int(np.isin(self.actions, self.best).sum())

    @property
    def expected_greedy(self) -> float:
        """How often it should be, on average."""
        share = self.best.size / self.values.size
        return 1 - self.epsilon + self.epsilon * share

    def share_is_right(self) -> bool:
        """Whether the best action comes as often as chance allows."""
        if self.actions is None:
            return False
        return proportion_p(self.greedy, self.actions.size, self.expected_greedy) >= self.level

    def others_are_even(self) -> bool:
        """Whether the actions that are not best come equally often, without a pattern."""
        if self.actions is None or self.epsilon == 0:
            return self.actions is not None
        others = np.setdiff1d(np.arange(self.values.size), self.best)
        drawn = self.actions[np.isin(self.actions, others)]
        if self.epsilon == 1:
            others, drawn = np.arange(self.values.size), self.actions
        if others.size < 2 or drawn.size < 20:
            return True
        places = np.searchsorted(others, drawn).astype(np.int64)
        tests = [frequencies(places, others.size)[1], single_value(places, others.size)[1]]
        if self.epsilon == 1:
            tests.append(repeat_profile(places, 1 / others.size).corrected())
        return min(tests) >= self.level

    @property
    def right(self) -> bool:
        """Whether nothing is wrong with them."""
        return self.share_is_right() and self.others_are_even()


def choice_verdict(trials: tuple[FunctionTrial, ...], false_alarm: float, where: str) -> Verdict:
    """The verdict on an ε-greedy function.

    Args:
        trials: each with `q_values` and `epsilon` and, as result, the actions drawn.
        false_alarm: probability that a right function is called wrong, over all tests.
        where: `file:line` of the function.
    """
    level = level_per_test(false_alarm, _TESTS_PER_TRIAL * len(trials))
    outcomes = [(trial.label, trial.incident) for trial in trials]
    draws = [_draws(trial, level) for trial in trials if trial.incident is None]
    findings = (*_findings(draws, where), *incident_findings(outcomes, where))
    share = _share(trials, {each.label for each in draws if each.right})
    if len(findings) == 1 and findings[0].code in _SLIPS:
        share = max(share, SLIP_CREDIT)
    verdict = graded(share, findings)
    return verdict.model_copy(update={"outcome": worst(verdict.outcome, outcomes)})


def _share(trials: tuple[FunctionTrial, ...], right: set[str]) -> float:
    """A third each for never exploring, always exploring, and something between the two."""
    groups: dict[float, list[bool]] = {}
    for trial in trials:
        epsilon = trial.arguments["epsilon"]
        known = epsilon if epsilon in (0.0, 1.0) else 0.5
        assert isinstance(known, int | float)
        groups.setdefault(known, []).append(trial.label in right)
    return sum(sum(group) / len(group) for group in groups.values()) / len(groups)


def _draws(trial: FunctionTrial, level: float) -> _Draws:
    given, epsilon = trial.arguments["q_values"], trial.arguments["epsilon"]
    assert isinstance(given, ArrayRecord)
    assert not isinstance(epsilon, ArrayRecord)
    values = given.array()
    came = None if trial.result is None else trial.result.array()
    received = trial.result_type or "nothing"
    whole: Ints | None = None
    if came is not None and came.dtype.kind not in "iu":
        received = f"a number of dtype {came.dtype}"
    elif came is not None:
        outside = came[(came < 0) | (came >= values.size)]
        if outside.size:
            received = f"action {outside[0]} of {values.size}"
        else:
            whole = came.astype(np.int64)
    return _Draws(trial.label, values, float(epsilon), whole, received, level)


def _findings(draws: list[_Draws], where: str) -> tuple[Finding, ...]:
    nothing = [each for each in draws if each.actions is None]
    if nothing:
        return (Finding(
            code=ChoiceCode.NO_ACTION, severity=Severity.ERROR,
            claim="What comes back is no action.", where=where,
            expected=f"a whole number from 0 to {nothing[0].values.size - 1}",
            received=f"{nothing[0].received} ({_cases(nothing)})",
            try_="Return the index of an action: `int(np.argmax(q_values))`, or "
            "`rng.integers(len(q_values))` when exploring.",
        ),)  # fmt: skip
    wrong = [each for each in draws if not each.right]
    if not wrong:
        return ()
    for code, holds, claim, advice in _KNOWN:
        if holds(draws):
            return (_finding(code, claim, advice, wrong, where),)
    findings = []
    misshared = [each for each in wrong if not each.share_is_right()]
    uneven = [each for each in wrong if each.share_is_right()]
    if misshared:
        findings.append(_finding(
            ChoiceCode.GREEDY_SHARE, "The best action does not come as often as it should.",
            "Draw one number for every choice: explore if `rng.random() < epsilon`.",
            misshared, where))  # fmt: skip
    if uneven:
        findings.append(_finding(
            ChoiceCode.UNEVEN, "Exploration does not choose all actions equally often.",
            "Draw it with `rng.integers(len(q_values))`, anew for every choice, and do not seed "
            "the generator again.", uneven, where))  # fmt: skip
    return tuple(findings)


def _at(draws: list[_Draws], epsilon: float) -> list[_Draws]:
    return [each for each in draws if each.epsilon == epsilon and each.best.size == 1]


def _all_best(draws: list[_Draws]) -> bool:
    return all(each.actions is not None and each.greedy == each.actions.size for each in draws)


def _all_even(draws: list[_Draws]) -> bool:
    return all(
        each.actions is not None and single_value(each.actions, each.values.size)[1] >= each.level
        for each in draws
    )


def _all_but_best(draws: _Draws) -> bool:
    chosen = set() if draws.actions is None else set(draws.actions.tolist())
    return chosen == set(range(draws.values.size)) - set(draws.best.tolist())


def _always_worst(draws: list[_Draws]) -> bool:
    return all(
        each.actions is not None
        and bool(np.isin(each.actions, np.flatnonzero(each.values == each.values.min())).all())
        for each in draws
    )


_KNOWN: Final[tuple[tuple[ChoiceCode, Callable[[list[_Draws]], bool], str, str], ...]] = (
    (ChoiceCode.EXPLORES_INVERTED,
     lambda d: bool(_at(d, 1)) and _all_best(_at(d, 1)) and not _all_best(_at(d, 0)),
     "It explores with probability 1 − ε.",
     "Explore if `rng.random() < epsilon`, otherwise take the best action."),
    (ChoiceCode.NEVER_EXPLORES,
     lambda d: bool(_at(d, 1)) and _all_best([e for e in d if e.epsilon > 0]),
     "It never explores.",
     "With probability ε return an action drawn at random: `rng.integers(len(q_values))`."),
    (ChoiceCode.ARGMIN,
     lambda d: bool(_at(d, 0)) and _always_worst(_at(d, 0)),
     "It takes the worst action instead of the best.", "Use `np.argmax(q_values)`."),
    (ChoiceCode.ALWAYS_RANDOM,
     lambda d: bool(_at(d, 0)) and _all_even(d),
     "It chooses at random whatever ε is.",
     "With probability 1 − ε return `int(np.argmax(q_values))`."),
    (ChoiceCode.NEVER_BEST,
     lambda d: bool(_at(d, 1)) and all(_all_but_best(e) for e in _at(d, 1)),
     "Exploration never chooses the best action.",
     "Draw from all actions: the best one is one of them."),
)  # fmt: skip


def _finding(code: ChoiceCode, claim: str, advice: str, group: list[_Draws], where: str) -> Finding:
    first = group[0]
    assert first.actions is not None
    counts = np.bincount(first.actions, minlength=first.values.size).tolist()
    return Finding(
        code=code, severity=Severity.ERROR, claim=claim, where=where,
        expected=f"the best action in {100 * first.expected_greedy:.3g} % of the choices, "
        f"with ε = {first.epsilon:g} and {first.values.size} actions",
        received=f"in {100 * first.greedy / first.actions.size:.3g} %; of {first.actions.size} "
        f"choices each action came {counts} times ({_cases(group)})",
        try_=advice,
    )  # fmt: skip


def _cases(group: list[_Draws]) -> str:
    return cases_text([each.label for each in group])
