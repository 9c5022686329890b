"""A student's environment as it is asked: every answer is checked, every broken rule is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from gymnasium import spaces

from grader.probes.environment_observations import fits, is_number, misfit
from grader.probes.environment_violations import Violations, raised_text
from grader.records.environment_evidence import EnvironmentRule
from grader.records.environment_requests import StepEnvironment
from grader.records.incident import Incident, IncidentKind
from grader.records.messages import Invoke
from grader.records.spaces import space_text
from grader.records.wire import Opaque
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_DICTIONARIES: Final = frozenset({"dict", "collections.OrderedDict", "collections.defaultdict"})
"""Types that are dictionaries also where their content has no plain form."""
MAX_REWARD: Final = 1e100
_RESET_FORMS: Final = (("seed", "options"), ("seed",), ())
"""Arguments to try on `reset`: what Gymnasium passes, then less, to see the rest all the same."""


class Start(NamedTuple):
    """What `reset` answered."""

    observation: Any


class Step(NamedTuple):
    """What `step` answered, as far as it has the right form."""

    observation: Any
    reward: Any
    terminated: bool
    truncated: bool

    @property
    def ended(self) -> bool:
        """Whether the episode is over."""
        return self.terminated or self.truncated


class Game:
    """An environment in one worker.

    Args:
        worker: holds it.
        violations: where broken rules are noted.
        observation_space: what observations are compared with; None compares nothing.
        target: the name it was kept under.
    """

    def __init__(
        self,
        worker: Worker,
        violations: Violations,
        observation_space: spaces.Space[Any] | None,
        target: str = "env",
    ) -> None:
        self._worker = worker
        self._target = target
        self._violations = violations
        self._observation_space = observation_space
        self._forms: tuple[tuple[str, ...], ...] = _RESET_FORMS
        self._episode_over = False
        self._info_keys: frozenset[str] | None = None

    def reset(self, seed: int | None, at: str) -> Start | None:
        """Starts an episode.

        Args:
            seed: None calls `reset()` without any argument.
            at: the call as the student reads it.

        Returns:
            None when `reset` raised.

        Raises:
            WorkerIncident: the worker is gone; that is noted already.
        """
        offered = {"seed": seed, "options": None}
        for form in self._forms if seed is not None else ((),):
            arguments = {name: offered[name] for name in form}
            try:
                answer = self._worker.ask(
                    Invoke(target=self._target, method="reset", exact=True, arguments=arguments),
                    f"calling {at}",
                )
            except WorkerIncident as error:
                if not unfit(error.incident):
                    self._failed_reset(error, arguments, at)
                    return None
                self._refused(error.incident, at, bare=seed is None)
                if seed is not None and len(self._forms) > 1:
                    self._forms = self._forms[1:]
                continue
            return self._started(answer, at)
        return None

    def _refused(self, incident: Incident, at: str, *, bare: bool) -> None:
        known = Rule.RESET_SIGNATURE in self._violations.broken()
        if known and not bare:
            return  # the same with fewer arguments
        self._violations.add(
            Rule.RESET_SIGNATURE,
            expected="reset(self, *, seed=None, options=None)",
            received=incident.message,
            at=at,
            incident=incident,
            variant="without arguments" if bare else "",
        )

    def _failed_reset(self, error: WorkerIncident, arguments: dict[str, Any], at: str) -> None:
        rule = Rule.RAISED_IN_RESET
        if not error.final and self._episode_over and self._works_afresh(arguments):
            rule = Rule.RESET_AFTER_END
        self._violations.add(
            rule,
            expected="(observation, info)",
            received=raised_text(error.incident),
            at=at,
            incident=error.incident,
            variant=_variant(error),
        )
        if error.final:
            raise error

    def _works_afresh(self, arguments: dict[str, Any]) -> bool:
        """Whether a new environment takes the `reset` that this one refused after an episode."""
        stage = "calling reset of a new environment"
        try:
            self._worker.ask(Invoke(target="env_class", arguments={}, keep="fresh"), stage)
            self._worker.ask(
                Invoke(target="fresh", method="reset", exact=True, arguments=arguments), stage
            )
        except WorkerIncident:
            return False
        return True

    def _started(self, answer: Any, at: str) -> Start:
        pair = isinstance(answer, tuple) and len(answer) == 2
        space = self._observation_space
        if pair and not is_dict(answer[1]) and space is not None and fits(space, answer):
            pair = False  # an observation that is itself a tuple of two
        if not pair:
            self._violations.add(
                Rule.RESET_RETURN, expected="a tuple (observation, info)", received=answer, at=at
            )
            return Start(answer)
        observation, info = answer
        if not is_dict(info):
            self._violations.add(Rule.RESET_INFO, expected="a dict", received=info, at=at)
        self._observation(observation, Rule.RESET_OBSERVATION, at)
        return Start(observation)

    def step(self, action: Any, at: str) -> Step | None:
        """Takes a step.

        Args:
            action: an element of the action space.
            at: the step as the student reads it.

        Returns:
            None when `step` raised or what it returned cannot be told apart.

        Raises:
            WorkerIncident: the worker is gone; that is noted already.
        """
        try:
            answer = self._worker.ask(
                Invoke(target=self._target, method="step", arguments={"action": action}),
                f"calling step ({at})",
            )
        except WorkerIncident as error:
            self._violations.add(
                Rule.RAISED_IN_STEP,
                expected="(observation, reward, terminated, truncated, info)",
                received=raised_text(error.incident),
                at=at,
                incident=error.incident,
                variant=_variant(error),
            )
            if error.final:
                raise
            return None
        five = self._five(answer, at)
        if five is None:
            return None
        step = self._checked(five, at)
        self._episode_over = self._episode_over or step.ended
        return step

    def steps(self, actions: Sequence[Any], at: str) -> list[Step]:
        """Takes several steps in one request, up to the end of the episode or an exception.

        For games that are compared with others; what is wrong with the answers is told of the
        games that are taken step by step.

        Raises:
            WorkerIncident: the worker is gone.
        """
        request = StepEnvironment(target=self._target, actions=tuple(actions))
        answers = self._worker.ask(request, f"calling step ({at})")
        steps: list[Step] = []
        for answer in answers if isinstance(answers, list) else []:
            five = self._five(answer, at)
            if five is None:
                break
            steps.append(self._checked(five, at))
            if steps[-1].ended:
                break
        return steps

    def _five(self, answer: Any, at: str) -> tuple[Any, ...] | None:
        """The five things that `step` should return, or None."""
        if not isinstance(answer, tuple | list) or len(answer) not in (4, 5):
            self._violations.add(
                Rule.STEP_RETURN,
                expected="a tuple (observation, reward, terminated, truncated, info)",
                received=answer,
                at=at,
            )
            return None
        if len(answer) == 4:
            self._violations.add(
                Rule.STEP_RETURN,
                expected="five values (observation, reward, terminated, truncated, info)",
                received="four values, as in the old Gym",
                at=at,
            )
            return (*answer[:3], False, answer[3])
        if isinstance(answer, list):
            self._violations.add(
                Rule.STEP_RETURN,
                expected="a tuple (observation, reward, terminated, truncated, info)",
                received="a list of five values",
                at=at,
            )
        return tuple(answer)

    def _checked(self, answer: tuple[Any, ...], at: str) -> Step:
        observation, reward, terminated, truncated, info = answer
        add = self._violations.add
        self._observation(observation, Rule.STEP_OBSERVATION, at)
        if not is_number(reward):
            add(Rule.REWARD_TYPE, expected="a number (float)", received=reward, at=at)
        elif not np.isfinite(reward):
            add(Rule.REWARD_NOT_FINITE, expected="a finite number", received=reward, at=at)
        for rule, value in ((Rule.TERMINATED_TYPE, terminated), (Rule.TRUNCATED_TYPE, truncated)):
            if not isinstance(value, bool | np.bool_):
                add(rule, expected="True or False (bool)", received=value, at=at)
        if not is_dict(info):
            add(Rule.STEP_INFO, expected="a dict", received=info, at=at)
        step = Step(observation, reward, _truth(terminated), _truth(truncated))
        if isinstance(info, dict) and not step.ended:
            self._compare_keys(frozenset(info), at)
        return step

    def _compare_keys(self, keys: frozenset[str], at: str) -> None:
        """Notes an info with other keys than before; the last one of an episode may have more."""
        if self._info_keys is None:
            self._info_keys = keys
        elif keys != self._info_keys:
            self._violations.add(
                Rule.INFO_KEYS,
                expected=f"the same keys at every step, such as {_names(self._info_keys)}",
                received=_names(keys),
                at=at,
            )

    def _observation(self, observation: Any, rule: EnvironmentRule, at: str) -> None:
        space = self._observation_space
        if space is None or fits(space, observation):
            return
        self._violations.add(
            rule,
            expected=f"an element of {space_text(space)}",
            received=lambda: misfit(space, observation),
            at=at,
        )


def number_of(reward: Any) -> float:
    """A reward as it counts in the sum of an episode: 0 for what is no finite number.

    Larger ones than `MAX_REWARD` count as that, so that sums stay finite.
    """
    if not (is_number(reward) and np.isfinite(reward)):
        return 0.0
    return min(max(float(reward), -MAX_REWARD), MAX_REWARD)


def is_dict(value: Any) -> bool:
    """Whether a value was a dictionary in the student's process."""
    return isinstance(value, dict) or (
        isinstance(value, Opaque) and value.type_name in _DICTIONARIES
    )


def _names(keys: frozenset[str]) -> str:
    return ", ".join(sorted(keys)) or "none"


def _truth(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.size == 1 and bool(value.any())
    return bool(value)


def unfit(incident: Incident) -> bool:
    """Whether `reset` could not take its arguments: an error before any line of it was run."""
    words = ("unexpected keyword", "positional argument", "keyword-only argument")
    return (
        incident.kind is IncidentKind.RAISED
        and incident.error_type == "TypeError"
        and not incident.frames
        and any(text in incident.message for text in words)
    )


def _variant(error: WorkerIncident) -> str:
    """Keeps the end of the worker apart from the exceptions before it."""
    return str(error.incident.kind) if error.final else ""
