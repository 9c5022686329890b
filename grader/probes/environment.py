"""Probe of a student's environment: Gymnasium's own checker and ours, on a proxy.

The environment runs in its worker; here stands a `gymnasium.Env` that forwards `reset` and `step`
and judges every value that comes back by itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env

from grader.assignments.registry import ProbeKind, Role
from grader.probes.context import ProbeContext, load
from grader.records.evidence import (
    EnvironmentEpisode,
    EnvironmentEvidence,
    EnvironmentRule,
    EnvironmentTrial,
    Incident,
    Violation,
)
from grader.records.settings import EnvironmentSettings
from grader.records.spaces import SpaceError, space_from_data, space_text
from grader.records.text import clean_line
from grader.records.wire import DescribeSpaces, Invoke, Opaque, describe, encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_FIRST_ENTROPY, _SECOND_ENTROPY = 801, 902
_FIRST_SEED: Final = 4100
_ACTION_SEED: Final = 67
_COMPARED_SEEDS: Final = (4200, 4201)
_VARIETY_SEEDS: Final = tuple(range(4300, 4308))


@dataclass
class _Violations:
    """Broken rules: the first time in detail, then counted."""

    found: dict[tuple[EnvironmentRule, str], Violation] = field(default_factory=dict)

    def add(
        self,
        rule: EnvironmentRule,
        *,
        expected: str = "",
        received: object = "",
        at: str = "",
        incident: Incident | None = None,
        variant: str = "",
    ) -> None:
        """Notes a broken rule; `variant` keeps different violations of one rule apart."""
        text = received if isinstance(received, str) else describe(received)
        key = (rule, variant)
        if key in self.found:
            before = self.found[key]
            self.found[key] = before.model_copy(update={"count": before.count + 1})
        else:
            self.found[key] = Violation(
                rule=rule, expected=expected, received=text, at=at, incident=incident
            )

    def all(self) -> tuple[Violation, ...]:
        """In the order of the rules."""
        order = list(EnvironmentRule)
        return tuple(sorted(self.found.values(), key=lambda item: order.index(item.rule)))


@dataclass(frozen=True)
class _Step:
    """One answer of `step`, as far as it has the right form."""

    observation: Any
    reward: Any
    terminated: bool
    truncated: bool


class _Game:
    """The environment in one worker, asked without mercy and without trust."""

    def __init__(
        self,
        worker: Worker,
        violations: _Violations,
        observation_space: spaces.Space[Any] | None,
    ) -> None:
        self._worker = worker
        self._violations = violations
        self._observation_space = observation_space

    def reset(self, seed: int, at: str) -> tuple[bool, Any]:
        """Resets; answers whether that worked, and the observation."""
        try:
            answer = self._worker.ask(
                Invoke(
                    target="env", method="reset", exact=True,
                    arguments={"seed": seed, "options": None},
                ),
                f"calling {at}",
            )  # fmt: skip
        except WorkerIncident as error:
            if error.final:
                raise
            unfit = error.incident.error_type == "TypeError" and (
                "unexpected keyword" in error.incident.message
            )
            rule = Rule.RESET_SIGNATURE if unfit else Rule.RAISED_IN_RESET
            self._violations.add(
                rule,
                expected="reset(self, *, seed=None, options=None)" if unfit else "an observation",
                received=error.incident.message,
                at=at,
                incident=error.incident,
            )
            return False, None
        if not (isinstance(answer, tuple) and len(answer) == 2):
            self._violations.add(
                Rule.RESET_RETURN, expected="a tuple (observation, info)", received=answer, at=at
            )
            return True, answer
        observation, info = answer
        if not isinstance(info, dict):
            self._violations.add(Rule.RESET_INFO, expected="a dict", received=info, at=at)
        self._observation(observation, Rule.RESET_OBSERVATION, at)
        return True, observation

    def step(self, action: Any, at: str) -> _Step | None:
        """Steps; None when that did not work."""
        try:
            answer = self._worker.ask(
                Invoke(target="env", method="step", arguments={"action": _sent(action)}),
                f"calling step ({at})",
            )
        except WorkerIncident as error:
            if error.final:
                raise
            self._violations.add(
                Rule.RAISED_IN_STEP,
                expected="(observation, reward, terminated, truncated, info)",
                received=f"{error.incident.error_type}: {error.incident.message}",
                at=at,
                incident=error.incident,
            )
            return None
        if not isinstance(answer, tuple) or len(answer) not in (4, 5):
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
            answer = (*answer[:3], False, answer[3])
        return self._checked(answer, at)

    def _checked(self, answer: tuple[Any, ...], at: str) -> _Step:
        observation, reward, terminated, truncated, info = answer
        add = self._violations.add
        self._observation(observation, Rule.STEP_OBSERVATION, at)
        if isinstance(reward, bool) or not isinstance(
            reward, int | float | np.integer | np.floating
        ):
            add(Rule.REWARD_TYPE, expected="a number (float)", received=reward, at=at)
        elif not np.isfinite(reward):
            add(Rule.REWARD_NOT_FINITE, expected="a finite number", received=reward, at=at)
        for rule, value in ((Rule.TERMINATED_TYPE, terminated), (Rule.TRUNCATED_TYPE, truncated)):
            if not isinstance(value, bool | np.bool_):
                add(rule, expected="True or False (bool)", received=value, at=at)
        if not isinstance(info, dict):
            add(Rule.STEP_INFO, expected="a dict", received=info, at=at)
        return _Step(observation, reward, _truth(terminated), _truth(truncated))

    def _observation(self, observation: Any, rule: EnvironmentRule, at: str) -> None:
        space = self._observation_space
        if space is None or _contains(space, observation):
            return
        self._violations.add(
            rule,
            expected=f"an element of {space_text(space)}",
            received=_compared_with(space, observation),
            at=at,
        )


def _truth(value: Any) -> bool:
    try:
        return bool(value)
    except ValueError:
        return False


def _sent(action: Any) -> Any:
    """An action in the form that crosses the channel."""
    if isinstance(action, dict):
        return {key: _sent(item) for key, item in action.items()}
    return action


def _contains(space: spaces.Space[Any], observation: Any) -> bool:
    try:
        return bool(space.contains(observation))
    except Exception:  # noqa: BLE001  the observation may be anything, `contains` may raise
        return False


def _compared_with(space: spaces.Space[Any], observation: Any) -> str:
    """The observation as text, with what is wrong about it."""
    text = describe(observation)
    if isinstance(space, spaces.Box) and isinstance(observation, np.ndarray):
        if observation.shape != space.shape:
            return f"{text}: the shape is not {space.shape}"
        dtype = np.dtype(space.dtype)
        if not np.can_cast(observation.dtype, dtype):
            return f"{text}: the dtype is not {dtype.name}"
        return f"{text}: a value lies outside the bounds"
    return text


class _Proxy(gymnasium.Env[Any, Any]):
    """What Gymnasium's checker sees: answers as they came back."""

    def __init__(
        self, worker: Worker, observation: spaces.Space[Any], action: spaces.Space[Any]
    ) -> None:
        self._worker = worker
        self.observation_space = observation
        self.action_space = action

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        answer: tuple[Any, dict[str, Any]] = self._worker.ask(
            Invoke(target="env", method="reset", exact=True,
                   arguments={"seed": seed, "options": options}),
            "calling reset in Gymnasium's checker",
        )  # fmt: skip
        return answer

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        answer: tuple[Any, Any, bool, bool, dict[str, Any]] = self._worker.ask(
            Invoke(target="env", method="step", arguments={"action": _sent(action)}),
            "calling step in Gymnasium's checker",
        )
        return answer


def _gymnasium_checker(proxy: _Proxy, violations: _Violations) -> None:
    """Runs Gymnasium's checker; what our own rules have told already is not told again."""
    told = {item.rule for item in violations.all()} - {Rule.NO_METADATA, Rule.RENDER_MODE}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_env(proxy, skip_render_check=True)
        except WorkerIncident as error:
            if error.final:
                raise
            problem: str | None = error.incident.message
        except Exception as error:  # noqa: BLE001  the checker tells by raising all sorts
            problem = str(error)
        else:
            problem = None
    if told:
        return
    if problem is not None:
        violations.add(
            Rule.CHECKER, expected="no objection", received=clean_line(problem, 400),
            at="gymnasium.utils.env_checker.check_env",
        )  # fmt: skip
    for text in dict.fromkeys(_warning_texts(caught)):
        violations.add(
            Rule.CHECKER_WARNING, expected="no warning", received=text,
            at="gymnasium.utils.env_checker.check_env", variant=text,
        )  # fmt: skip


def _warning_texts(caught: Iterable[warnings.WarningMessage]) -> list[str]:
    texts = []
    for warning in caught:
        text = clean_line(str(warning.message).replace("\x1b[33m", "").replace("\x1b[0m", ""), 400)
        # The proxy is made here and has no registration; that is not the student's doing.
        if "spec" not in text and "unwrapped" not in text:
            texts.append(text.removeprefix("WARN: "))
    return texts


def _space(
    described: dict[str, Any], name: str, rule: EnvironmentRule, violations: _Violations
) -> spaces.Space[Any] | None:
    data = described.get(name)
    expected = f"self.{name} set in __init__, such as spaces.Discrete(4)"
    if not isinstance(data, dict):
        received = describe(data) if isinstance(data, Opaque) else "nothing"
        violations.add(rule, expected=expected, received=received)
        return None
    try:
        return space_from_data(data)
    except SpaceError as error:
        violations.add(rule, expected=expected, received=clean_line(str(error)))
        return None


def _metadata(described: dict[str, Any], violations: _Violations) -> None:
    modes = described.get("render_modes")
    if not isinstance(modes, list):
        violations.add(
            Rule.NO_METADATA,
            expected='metadata = {"render_modes": [...], "render_fps": ...}',
            received="no render_modes in metadata",
        )
        return
    mode = described.get("render_mode")
    if mode is not None and mode not in modes:
        violations.add(
            Rule.RENDER_MODE, expected=f"one of {modes}, or None", received=describe(mode)
        )


def _play(
    game: _Game, actions: spaces.Space[Any], settings: EnvironmentSettings, violations: _Violations
) -> tuple[EnvironmentEpisode, ...]:
    """Episodes with random actions, every answer checked."""
    played: list[EnvironmentEpisode] = []
    actions.seed(_ACTION_SEED)
    for number in range(settings.episodes):
        seed = _FIRST_SEED + number
        worked, _ = game.reset(seed, f"reset(seed={seed})")
        if not worked:
            break
        total, steps, ended = 0.0, 0, False
        while steps < settings.max_steps and not ended:
            answer = game.step(actions.sample(), f"step {steps + 1} after reset(seed={seed})")
            if answer is None:
                return tuple(played)
            steps += 1
            ended = answer.terminated or answer.truncated
            total += _float(answer.reward)
        if not ended:
            violations.add(
                Rule.NEVER_ENDS,
                expected=f"terminated or truncated within {settings.max_steps} steps",
                received=f"no end after {steps} steps with random actions",
                at=f"the episode after reset(seed={seed})",
            )
        played.append(EnvironmentEpisode(seed=seed, steps=steps, episode_return=total, ended=ended))
        if not ended:
            break  # the others would not end either, and each costs as long
    return tuple(played)


def _float(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if np.isfinite(number) else 0.0


def _trace(
    game: _Game, actions: spaces.Space[Any], seed: int, steps: int
) -> list[tuple[Any, Any, bool, bool]]:
    """Answers of one episode under a seed, with actions that depend on the seed alone."""
    actions.seed(seed)
    worked, observation = game.reset(seed, f"reset(seed={seed})")
    trace = [(observation, 0.0, False, False)] if worked else []
    while worked and len(trace) < steps:
        answer = game.step(actions.sample(), f"step {len(trace)} after reset(seed={seed})")
        if answer is None:
            break
        trace.append((answer.observation, answer.reward, answer.terminated, answer.truncated))
        if answer.terminated or answer.truncated:
            break
    return trace


_PARTS: Final = ("observation", "reward", "terminated", "truncated")


def _compare(
    first: list[Any], second: list[Any], seed: int, processes: Literal["same", "separate"]
) -> EnvironmentTrial:
    for step, (one, two) in enumerate(zip(first, second, strict=False)):
        for what, a, b in zip(_PARTS, one, two, strict=True):
            if encode(a) != encode(b):
                return EnvironmentTrial(
                    seed=seed, compared=step + 1, difference=step, what=what,
                    first=describe(a), second=describe(b), processes=processes,
                )  # fmt: skip
    if len(first) != len(second):
        shorter = min(len(first), len(second))
        return EnvironmentTrial(
            seed=seed, compared=shorter, difference=shorter, what="length of the episode",
            first=f"{len(first)} steps", second=f"{len(second)} steps", processes=processes,
        )  # fmt: skip
    return EnvironmentTrial(seed=seed, compared=len(first), processes=processes)


def collect(context: ProbeContext) -> EnvironmentEvidence:
    """Plays the environment, compares two runs of it, and asks Gymnasium's checker."""
    violations = _Violations()
    gathered: dict[str, Any] = {}
    with context.worker(_FIRST_ENTROPY) as worker:
        loaded = load(context, worker)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return EnvironmentEvidence(**fields)
        try:
            worker.ask(
                Invoke(target="env_class", arguments={}, keep="env"), "making the environment"
            )
            described = worker.ask(DescribeSpaces(target="env"), "reading the spaces")
        except WorkerIncident as error:
            return EnvironmentEvidence(**fields, construction=error.incident)
        described = described if isinstance(described, dict) else {}
        try:
            _examine(context, worker, described, violations, gathered)
            gathered["finished"] = True
        except WorkerIncident as error:
            violations.add(
                Rule.RAISED_IN_STEP, received=error.incident.message, incident=error.incident,
                at=error.incident.stage, variant=error.incident.kind,
            )  # fmt: skip
    return EnvironmentEvidence(**fields, violations=violations.all(), **gathered)


def _examine(
    context: ProbeContext,
    worker: Worker,
    described: dict[str, Any],
    violations: _Violations,
    gathered: dict[str, Any],
) -> None:
    settings: EnvironmentSettings = context.settings
    if described.get("is_env") is not True:
        violations.add(
            Rule.NOT_AN_ENV,
            expected="class GameEnv(gymnasium.Env)",
            received="a class that does not inherit from gymnasium.Env",
        )
    observation_space = _space(
        described, "observation_space", Rule.NO_OBSERVATION_SPACE, violations
    )
    action_space = _space(described, "action_space", Rule.NO_ACTION_SPACE, violations)
    _metadata(described, violations)
    if action_space is None:
        return
    gathered["action_space"] = space_text(action_space)
    if observation_space is not None:
        gathered["observation_space"] = space_text(observation_space)
    game = _Game(worker, violations, observation_space)
    gathered["episodes"] = _play(game, action_space, settings, violations)
    if gathered["episodes"]:
        worked, _ = game.reset(_FIRST_SEED, f"reset(seed={_FIRST_SEED}) after an episode")
        if not worked:
            violations.add(
                Rule.RESET_AFTER_END,
                expected="a new episode",
                received="an error",
                at=f"reset(seed={_FIRST_SEED}) after an episode",
            )
    gathered["trials"] = _determinism(context, game, action_space, settings, violations)
    if observation_space is not None:
        _gymnasium_checker(_Proxy(worker, observation_space, action_space), violations)


def _determinism(
    context: ProbeContext,
    game: _Game,
    actions: spaces.Space[Any],
    settings: EnvironmentSettings,
    violations: _Violations,
) -> tuple[EnvironmentTrial, ...]:
    steps = settings.compared_steps
    silent = _Violations()  # what is wrong with the answers has been told already
    traces = {seed: _trace(game, actions, seed, steps) for seed in _COMPARED_SEEDS}
    trials = [
        _compare(traces[seed], _trace(game, actions, seed, steps), seed, "same")
        for seed in _COMPARED_SEEDS
    ]
    with context.worker(_SECOND_ENTROPY) as second:
        try:
            again = load(context, second)
            if again.incident is not None:
                raise WorkerIncident(again.incident)
            second.ask(
                Invoke(target="env_class", arguments={}, keep="env"), "making the environment"
            )
            other = _Game(second, silent, None)
            for seed in _COMPARED_SEEDS:
                trials.append(
                    _compare(traces[seed], _trace(other, actions, seed, steps), seed, "separate")
                )
        except WorkerIncident as error:
            trials.append(
                EnvironmentTrial(seed=_COMPARED_SEEDS[0], compared=0, incident=error.incident)
            )
    actions.seed(_ACTION_SEED)
    variety = set()
    for seed in _VARIETY_SEEDS:
        answers = _trace(game, _Repeating(actions), seed, min(steps, 50))
        variety.add(encode([list(answer) for answer in answers]))
    if len(variety) == 1:
        violations.add(
            Rule.SEED_IGNORED,
            expected="different games under different seeds",
            received=f"one and the same game under {len(_VARIETY_SEEDS)} seeds",
        )
    return tuple(trials)


class _Repeating(spaces.Space[Any]):
    """Samples the same actions whatever the seed, so that only the game can differ."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        super().__init__()
        self._space = space

    def seed(self, seed: Any = None) -> Any:
        del seed
        return self._space.seed(_ACTION_SEED)

    def sample(self, mask: Any = None, probability: Any = None) -> Any:
        del mask, probability
        return self._space.sample()


PROBE = ProbeKind(
    id="environment",
    roles=(
        Role("env_class", "class", ("GameEnv",)),
        Role("reset", "method", ("reset",), owner="env_class"),
        Role("step", "method", ("step",), owner="env_class"),
    ),
    settings=EnvironmentSettings,
    evidence=EnvironmentEvidence,
    collect=collect,
)
"""Kind `environment`."""
