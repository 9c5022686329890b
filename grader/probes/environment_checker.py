"""Gymnasium's own checker, run on a stand-in for the student's environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import env_checker, passive_env_checker

from grader.probes.environment_game import is_dict, unfit
from grader.probes.environment_observations import listening
from grader.probes.environment_violations import Violations, raised_text
from grader.records.environment_evidence import EnvironmentRule
from grader.records.incident import Incident
from grader.records.messages import Invoke
from grader.records.text import clean_line
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_TEXT_CHARS: Final = 400
_PLACE: Final = "gymnasium.utils.env_checker.check_env"
_RESET: Final = frozenset({Rule.RESET_RETURN})
_STEP: Final = frozenset({Rule.STEP_RETURN})
# What the checker says, by the words that tell it apart, and the rules of ours that say the same
# or explain it.
_SAME: Final[tuple[tuple[str, frozenset[EnvironmentRule]], ...]] = (
    ("second element returned by `env.reset", _RESET | {Rule.RESET_INFO}),
    ("result returned by `env.reset", _RESET),
    ("did not return a 2-tuple", _RESET),
    ("returned by `env.reset", _RESET | {Rule.RESET_OBSERVATION}),
    ("returned by the `reset()`", _RESET | {Rule.RESET_OBSERVATION}),
    ("cannot be reset with", _RESET | {Rule.RESET_SIGNATURE}),
    ("returned by the `step()`", _STEP | {Rule.STEP_OBSERVATION}),
    ("`info` returned by `step()`", _STEP | {Rule.STEP_INFO}),
    ("step result to be a tuple", _STEP),
    ("old step API", _STEP),
    ("`done` signal", _STEP),
    ("`terminated` signal", _STEP | {Rule.TERMINATED_TYPE}),
    ("`truncated` signal", _STEP | {Rule.TRUNCATED_TYPE}),
    ("truncates after 1 step", frozenset({Rule.TRUNCATED_TYPE})),
    ("reward returned by `step()`", _STEP | {Rule.REWARD_TYPE}),
    ("reward is a", frozenset({Rule.REWARD_NOT_FINITE})),
    # NaN is not equal to itself.
    ("rewards are not equivalent", frozenset({Rule.REWARD_NOT_FINITE, Rule.REWARD_TYPE})),
    ("observations are not equivalent", frozenset({Rule.STEP_OBSERVATION})),
)
_NOISE: Final = "Casting input x to numpy array."
"""What spaces say of numbers that are no arrays; where an array is asked for, our rule says so."""
_NO_RESET: Final = frozenset({Rule.RAISED_IN_RESET, Rule.RESET_AFTER_END})
_BREAKS_THE_CHECKER: Final = frozenset(
    {
        Rule.RESET_SIGNATURE, Rule.RESET_RETURN, Rule.RESET_OBSERVATION, Rule.RESET_AFTER_END,
        Rule.STEP_RETURN, Rule.STEP_OBSERVATION, Rule.RAISED_IN_RESET, Rule.RAISED_IN_STEP,
    }
)  # fmt: skip
"""Rules whose breaking makes the checker stumble with an error of Python's."""


class _Proxy(gymnasium.Env[Any, Any]):
    """What the checker sees: an environment whose answers come from the worker as they are."""

    def __init__(
        self, worker: Worker, observation: spaces.Space[Any], action: spaces.Space[Any]
    ) -> None:
        self._worker = worker
        self.observation_space = observation
        self.action_space = action
        self.raised: tuple[EnvironmentRule, str, Incident] | None = None
        """What ended the checker from within the student's code."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        offered = {"seed": seed, "options": options}
        arguments = {name: value for name, value in offered.items() if value is not None}
        call = f"reset({', '.join(f'{name}={value}' for name, value in arguments.items())})"
        answer = self._ask(
            Invoke(target="env", method="reset", exact=True, arguments=arguments),
            Rule.RAISED_IN_RESET,
            call,
        )
        typed: tuple[Any, dict[str, Any]] = _plain_info(answer)
        return typed

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        answer = self._ask(
            Invoke(target="env", method="step", arguments={"action": action}),
            Rule.RAISED_IN_STEP,
            "step",
        )
        if isinstance(answer, tuple):
            # The checker takes numpy's False for a truncation.
            answer = tuple(bool(item) if isinstance(item, np.bool_) else item for item in answer)
        typed: tuple[Any, Any, bool, bool, dict[str, Any]] = _plain_info(answer)
        return typed

    def _ask(self, request: Invoke, rule: EnvironmentRule, call: str) -> Any:
        at = f"{call} in Gymnasium's checker"
        try:
            return self._worker.ask(request, f"calling {at}")
        except WorkerIncident as error:
            self.raised = (rule, at, error.incident)
            raise


def _plain_info(answer: Any) -> Any:
    """An answer whose last part is a dictionary, also where that has no plain form."""
    if isinstance(answer, tuple) and answer and is_dict(answer[-1]):
        return (*answer[:-1], answer[-1] if isinstance(answer[-1], dict) else {})
    return answer


def run_checker(
    worker: Worker,
    observation: spaces.Space[Any],
    action: spaces.Space[Any],
    violations: Violations,
    *,
    deterministic: bool,
) -> None:
    """Runs the checker and notes what our own rules have not told already.

    Args:
        worker: holds the environment as `env`.
        observation: its observation space.
        action: its action space.
        violations: what is known so far; added to.
        deterministic: whether two runs were found to be equal; where they were not, the checker
            says the same again.

    Raises:
        WorkerIncident: the worker is gone; that is noted already.
    """
    proxy = _Proxy(worker, observation, action)
    problems: list[tuple[str, str]] = []
    with listening() as warned, np.errstate(all="ignore"):
        for name, check in _checks(proxy):
            try:
                check()
            except WorkerIncident:
                _note_raised(proxy, violations)
            except Exception as error:  # noqa: BLE001  the checker tells by raising all sorts
                problem = f"{error}" if isinstance(error, AssertionError) else repr(error)
                problems.append((name, clean_line(problem, _TEXT_CHARS)))
    told = violations.broken()
    for name, problem in problems:
        if _is_told(problem, told, deterministic=deterministic):
            continue
        known = any(text in problem for text, _ in _SAME)
        if known or not told & _BREAKS_THE_CHECKER:
            # One objection that several functions raise is one.
            violations.add(
                Rule.CHECKER, expected="no objection", received=problem, at=_place(name),
                variant=problem,
            )  # fmt: skip
    for text in dict.fromkeys(clean_line(text, _TEXT_CHARS) for text in warned):
        if text != _NOISE and not _is_told(text, told, deterministic=deterministic):
            violations.add(
                Rule.CHECKER_WARNING, expected="no warning", received=text, at=_PLACE, variant=text
            )


def _checks(env: _Proxy) -> tuple[tuple[str, Callable[[], Any]], ...]:
    """What `check_env` consists of, one by one: it ends at the first objection.

    The names of some functions differ between versions of Gymnasium. What needs the object itself
    (its generator, the memory it returns, rendering) is looked at in the worker.
    """
    resetting = getattr(env_checker, "check_reset_seed_determinism", None) or getattr(
        env_checker, "check_reset_seed", None
    )
    found: list[tuple[str, Callable[[], Any]]] = [
        ("check_action_space", lambda: passive_env_checker.check_action_space(env.action_space)),
        ("check_space_limit", lambda: env_checker.check_space_limit(env.action_space, "action")),
        ("check_observation_space",
         lambda: passive_env_checker.check_observation_space(env.observation_space)),
        ("check_space_limit",
         lambda: env_checker.check_space_limit(env.observation_space, "observation")),
        ("check_reset_return_type", lambda: env_checker.check_reset_return_type(env)),
    ]  # fmt: skip
    if resetting is not None:
        found.append((resetting.__name__, lambda: resetting(env)))
    return (
        *found,
        ("check_reset_options", lambda: env_checker.check_reset_options(env)),
        ("env_reset_passive_checker",
         lambda: passive_env_checker.env_reset_passive_checker(env)),
        ("env_step_passive_checker",
         lambda: passive_env_checker.env_step_passive_checker(env, env.action_space.sample())),
        ("check_step_determinism", lambda: env_checker.check_step_determinism(env)),
    )  # fmt: skip


def _place(name: str) -> str:
    return f"{_PLACE}, {name}"


def _note_raised(proxy: _Proxy, violations: Violations) -> None:
    """Notes what left the student's code, unless the like of it has been seen; passes ends on."""
    assert proxy.raised is not None
    rule, at, incident = proxy.raised
    final = WorkerIncident(incident).final
    if rule is Rule.RAISED_IN_RESET and unfit(incident):
        rule = Rule.RESET_SIGNATURE
    like = _NO_RESET if rule is Rule.RAISED_IN_RESET else frozenset({rule})
    if final or not like & violations.broken():
        violations.add(
            rule,
            expected="an answer",
            received=raised_text(incident),
            at=at,
            incident=incident,
            variant=str(incident.kind) if final else "",
        )
    if final:
        raise WorkerIncident(incident)


def _is_told(text: str, told: frozenset[EnvironmentRule], *, deterministic: bool) -> bool:
    if not deterministic and ("eterministic" in text or "although similar" in text):
        return True
    rules = next((rules for words, rules in _SAME if words in text), frozenset[EnvironmentRule]())
    return bool(rules & told)
