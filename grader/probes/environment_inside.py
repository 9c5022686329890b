"""What only an environment's own process can see, and how it fares inside Gymnasium's wrappers."""

from __future__ import annotations

from typing import Any, Final

from gymnasium import spaces

from grader.probes.context import parsed
from grader.probes.environment_game import Game
from grader.probes.environment_runs import Actions, call_of
from grader.probes.environment_violations import PART_LIMITS, Violations
from grader.records.environment_evidence import EnvironmentRule
from grader.records.environment_requests import (
    RandomUse,
    SeededGenerator,
    SharedData,
    Watched,
    WatchEnvironment,
    WrapEnvironment,
    Wrapping,
)
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

Rule = EnvironmentRule

_SEED, _OTHER_SEED = 4500, 4501
_ACTION_SEED: Final = 68
_WATCHED_STEPS: Final = 40
_WRAPPED_STEPS: Final = 12
_TIME_LIMIT: Final = 8
_STAGE: Final = "playing a game that is watched"


def watch(worker: Worker, actions: Actions, file: str, violations: Violations) -> None:
    """Watches a game from inside and notes what is wrong.

    Args:
        worker: holds the class.
        actions: random actions.
        file: the part's file.
        violations: added to.

    Raises:
        WorkerIncident: the worker is gone.
    """
    actions.restart(_ACTION_SEED)
    request = WatchEnvironment(
        target="env_class", seed=_SEED, other_seed=_OTHER_SEED,
        actions=tuple(actions.draw_many(_WATCHED_STEPS)), file=file,
    )  # fmt: skip
    seen = parsed(Watched, worker.ask(request, _STAGE), _STAGE)
    _note_shared(seen, violations)
    if seen.action_overwritten is not None:
        violations.add(
            Rule.ACTION_OVERWRITTEN,
            expected="the action as it was given",
            received="its values were changed in place",
            at=_call(seen.action_overwritten),
        )
    if seen.space_changed is not None:
        violations.add(
            Rule.SPACE_CHANGES,
            expected=f"one `{seen.space_changed}` for every object of the class, at all times",
            received="another one after a game",
        )
    if seen.random_use is not None:
        _note_random(seen.random_use, violations)
    if seen.generator is not None and Rule.RESET_SIGNATURE not in violations.broken():
        _note_generator(seen.generator, violations)


def _call(number: int) -> str:
    return call_of(_SEED) if number == 0 else f"step {number} after {call_of(_SEED)}"


def _both(data: SharedData) -> str:
    calls = ["reset" if number == 0 else f"step {number}" for number in (data.first, data.second)]
    return " and ".join(calls)


def _note_shared(seen: Watched, violations: Violations) -> None:
    if seen.overwritten is not None:
        first = "`reset`" if seen.overwritten.first == 0 else f"step {seen.overwritten.first}"
        violations.add(
            Rule.OBSERVATION_OVERWRITTEN,
            expected=f"the observation of {first} stays as it was when it was returned",
            received=f"later steps changed it, seen after step {seen.overwritten.second}",
            at=call_of(_SEED),
        )
    elif seen.shared is not None:
        violations.add(
            Rule.OBSERVATION_SHARED,
            expected="a new object for every observation",
            received=f"one object from {_both(seen.shared)}",
            at=call_of(_SEED),
        )
    if seen.info_shared is not None:
        violations.add(
            Rule.INFO_SHARED,
            expected="a new dictionary for every info",
            received=f"one object from {_both(seen.info_shared)}",
            at=call_of(_SEED),
        )


def _note_random(use: RandomUse, violations: Violations) -> None:
    name = "np.random" if use.generator == "numpy.random" else "random"
    violations.add(
        Rule.GLOBAL_RANDOM,
        expected="all chance from `self.np_random`",
        received=f"the generator of the module `{name}`, which the whole process shares",
        at=_call(use.call),
        line=use.line,
    )


def _note_generator(seen: SeededGenerator, violations: Violations) -> None:
    if not seen.made:
        received = "no generator after it"
    elif not seen.same_seed_same_state:
        received = "different states after two resets with one seed"
    elif not seen.other_seed_other_state:
        received = "one and the same state after resets with two seeds"
    else:
        return
    violations.add(
        Rule.GENERATOR_NOT_SEEDED,
        expected=f"`self.np_random` in a state that {call_of(_SEED)} decides",
        received=received,
        at=call_of(_SEED),
    )


# --- wrappers -----------------------------------------------------------------------------------


def try_wrappers(
    worker: Worker,
    actions: Actions,
    observation_space: spaces.Space[Any],
    violations: Violations,
) -> None:
    """Makes the environment with `gymnasium.make`, and plays it inside common wrappers.

    Only for an environment whose `reset` and `step` keep to the rules by themselves.

    Raises:
        WorkerIncident: the worker is gone; that is noted already.
    """
    hows: list[Wrapping] = ["make", "TimeLimit", "RecordEpisodeStatistics"]
    if _is_plain(observation_space):
        hows += ["FlattenObservation", "FrameStackObservation"]
    for how in hows:
        rule = Rule.NOT_MADE if how == "make" else Rule.NOT_WRAPPED
        name = "gymnasium.make(…)" if how == "make" else f"{how}(GameEnv())"
        try:
            worker.ask(
                WrapEnvironment(
                    target="env_class", how=how, max_episode_steps=_TIME_LIMIT, keep="wrapped"
                ),
                f"making {name}",
            )
        except WorkerIncident as error:
            violations.raised(
                rule, error, expected=f"{name} works", at=name, variant=error.incident.message
            )
            if error.final:
                raise
            continue
        _play_wrapped(worker, actions, rule, how, name, violations)


def _play_wrapped(
    worker: Worker,
    actions: Actions,
    rule: EnvironmentRule,
    how: str,
    name: str,
    violations: Violations,
) -> None:
    found = Violations()
    game = Game(worker, found, None, "wrapped")
    actions.restart(_ACTION_SEED)
    ended = False
    try:
        if game.reset(_SEED, f"{call_of(_SEED)} inside {name}") is not None:
            for number in range(1, _WRAPPED_STEPS + 1):
                step = game.step(actions.draw(), f"step {number} inside {name}")
                ended = step is None or step.ended
                if ended:
                    break
    finally:
        for each in found.all():
            if each.incident is not None and each.incident.limit not in PART_LIMITS:
                # The same error in several wrappers is one.
                violations.add(
                    rule, expected=f"{name} works", received=each.received, at=each.at,
                    incident=each.incident, variant=each.received,
                )  # fmt: skip
    if how in ("make", "TimeLimit") and not ended:
        violations.add(
            rule, expected=f"truncated after {_TIME_LIMIT} steps, as `max_episode_steps` asks",
            received=f"no end after {_WRAPPED_STEPS} steps", at=name, variant=how,
        )  # fmt: skip


def _is_plain(space: spaces.Space[Any]) -> bool:
    """Whether wrappers can make one array of it, and stack it."""
    match space:
        case spaces.Dict():
            return all(map(_is_plain, space.spaces.values()))
        case spaces.Tuple():
            return all(map(_is_plain, space.spaces))
    return isinstance(
        space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary
    )
