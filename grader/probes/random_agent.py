"""Probe of a random agent: actions sampled from many spaces, and sequences under chosen seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from gymnasium import spaces

from grader.assignments.registry import ProbeKind, Role
from grader.episodes.actions import InvalidAction, to_action
from grader.errors import GraderFault
from grader.probes.context import ProbeContext, expect, load, load_again
from grader.records.arrays import ArrayRecord
from grader.records.evidence import ActionComponent, RandomAgentEvidence, SeededTrial, SpaceTrial
from grader.records.incident import Incident
from grader.records.messages import Invoke, InvokeMany, Space
from grader.records.settings import RandomAgentSettings
from grader.records.spaces import SpaceError, parse_space, space_data
from grader.records.wire import encode
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_CHUNK: Final = 1000
_SAMPLING_SEED: Final = 20_130_000
"""Given to the student's agent; any number would do."""
_OBSERVATION_SEED: Final = 7
_OBSERVATIONS: Final = 4
_FIRST_ENTROPY, _SECOND_ENTROPY = 101, 202


@dataclass(frozen=True)
class _Leaf:
    """One number of an action and how to read it."""

    name: str
    choices: int | None
    labels: tuple[str, ...]
    read: Callable[[Any], float]


def _leaves(space: spaces.Space[Any], name: str, pick: Callable[[Any], Any]) -> list[_Leaf]:
    match space:
        case spaces.Discrete():
            start = int(space.start)
            labels = tuple(str(start + index) for index in range(min(int(space.n), 64)))
            return [_Leaf(name, int(space.n), labels, lambda a: int(pick(a)) - start)]
        case spaces.MultiDiscrete():
            starts = np.asarray(space.start).reshape(-1)
            return [
                _element_leaf(f"{name}[{i}]", int(choices), int(starts[i]), pick, i)
                for i, choices in enumerate(np.asarray(space.nvec).reshape(-1))
            ]
        case spaces.MultiBinary():
            count = int(np.prod(space.shape))
            return [_element_leaf(f"{name}[{i}]", 2, 0, pick, i) for i in range(count)]
        case spaces.Box():
            return [_box_leaf(space, f"{name}[{i}]", pick, i) for i in range(space.low.size)]
        case spaces.Dict():
            return [
                leaf
                for key, inner in space.spaces.items()
                for leaf in _leaves(inner, f"{name}[{key!r}]", _item(pick, key))
            ]
        case spaces.Tuple():
            return [
                leaf
                for index, inner in enumerate(space.spaces)
                for leaf in _leaves(inner, f"{name}[{index}]", _item(pick, index))
            ]
    raise GraderFault(f"random agents cannot be tried on {space}")


def _item(pick: Callable[[Any], Any], key: Any) -> Callable[[Any], Any]:
    return lambda action: pick(action)[key]


def _element_leaf(
    name: str, choices: int, start: int, pick: Callable[[Any], Any], index: int
) -> _Leaf:
    labels = tuple(str(start + value) for value in range(min(choices, 64)))
    return _Leaf(
        name, choices, labels, lambda a: int(np.asarray(pick(a)).reshape(-1)[index]) - start
    )


def _box_leaf(space: spaces.Box, name: str, pick: Callable[[Any], Any], index: int) -> _Leaf:
    low, high = float(space.low.reshape(-1)[index]), float(space.high.reshape(-1)[index])
    if not np.isfinite(high - low):
        raise GraderFault(f"{space} is unbounded: no distribution is uniform on it")
    if np.dtype(space.dtype).kind in "iu":
        return _element_leaf(name, int(high - low) + 1, int(low), pick, index)

    def read(action: Any) -> float:
        return (float(np.asarray(pick(action)).reshape(-1)[index]) - low) / (high - low)

    return _Leaf(name, None, (), read)


def _components(space: spaces.Space[Any], actions: list[Any]) -> tuple[ActionComponent, ...]:
    made = []
    for leaf in _leaves(space, "", lambda action: action):
        values = [leaf.read(action) for action in actions]
        dtype = np.float64 if leaf.choices is None else np.int64
        made.append(
            ActionComponent(
                name=leaf.name,
                choices=leaf.choices,
                labels=leaf.labels,
                values=ArrayRecord.of(np.array(values, dtype=dtype)),
            )
        )
    return tuple(made)


def _observations() -> np.ndarray[Any, np.dtype[np.float32]]:
    generator = np.random.default_rng(_OBSERVATION_SEED)
    return generator.normal(size=(_OBSERVATIONS, 4)).astype(np.float32)


def _make(worker: Worker, space: spaces.Space[Any], seed: int | None, keep: str) -> None:
    arguments = {"action_space": Space(data=space_data(space)), "seed": seed}
    worker.ask(
        Invoke(target="agent_class", arguments=arguments, keep=keep),
        f"making an agent for {space} with seed {seed}",
    )


def _act(worker: Worker, agent: str, values: list[Any], first_step: int) -> list[Any]:
    stage = f"calling act (steps {first_step} to {first_step + len(values) - 1})"
    try:
        answers = worker.ask(
            InvokeMany(target=agent, method="act", argument="observation", values=tuple(values)),
            stage,
        )
    except WorkerIncident as error:
        if error.at is None:
            raise
        step = first_step + error.at
        incident = error.incident.model_copy(update={"stage": f"calling act (step {step})"})
        raise WorkerIncident(incident, error.at) from None
    expect(isinstance(answers, list) and len(answers) == len(values), stage, "answers are missing")
    result: list[Any] = answers
    return result


def _space_trial(worker: Worker, text: str, space: spaces.Space[Any], samples: int) -> SpaceTrial:
    codes = np.random.default_rng(_OBSERVATION_SEED + 1).integers(0, _OBSERVATIONS, samples)
    shown = _observations()
    actions: list[Any] = []
    try:
        _make(worker, space, _SAMPLING_SEED, "agent")
        while len(actions) < samples:
            begin = len(actions)
            values = [shown[code] for code in codes[begin : begin + _CHUNK]]
            for answer in _act(worker, "agent", values, begin):
                actions.append(to_action(space, answer))  # noqa: PERF401  counts valid ones
    except WorkerIncident as error:
        return SpaceTrial(space=text, samples=samples, incident=error.incident)
    except InvalidAction as invalid:
        return SpaceTrial(
            space=text,
            samples=samples,
            invalid_step=len(actions),
            invalid_action=invalid.received,
        )
    return SpaceTrial(
        space=text,
        samples=samples,
        components=_components(space, actions),
        observation_codes=ArrayRecord.of(codes.astype(np.int64)),
    )


def _first_difference(first: list[bytes], second: list[bytes]) -> int | None:
    pairs = enumerate(zip(first, second, strict=True))
    return next((step for step, (a, b) in pairs if a != b), None)


def _seeded_trial(
    first: Worker, second: Worker, text: str, space: spaces.Space[Any], length: int
) -> SeededTrial:
    shown = list(_observations())
    values = [shown[step % _OBSERVATIONS] for step in range(length)]

    def sequence(worker: Worker, seed: int | None) -> list[bytes]:
        _make(worker, space, seed, "agent")
        return [encode(action) for action in _act(worker, "agent", values, 0)]

    try:
        one = sequence(first, 5)
        again = sequence(second, 5)
        other = sequence(first, 6)
        unseeded = sequence(first, None), sequence(first, None)
        _make(first, space, 5, "left")
        _make(first, space, 5, "right")
        left: list[bytes] = []
        right: list[bytes] = []
        for step, value in enumerate(values[:24]):
            left += [encode(action) for action in _act(first, "left", [value], step)]
            right += [encode(action) for action in _act(first, "right", [value], step)]
    except WorkerIncident as error:
        return SeededTrial(space=text, compared=length, incident=error.incident)
    return SeededTrial(
        space=text,
        compared=length,
        same_seed_difference=_first_difference(one, again),
        interleaved_difference=_first_difference(left, right),
        other_seed_equal=one == other,
        unseeded_equal=unseeded[0] == unseeded[1],
    )


def _parsed(settings: RandomAgentSettings) -> list[tuple[str, spaces.Space[Any]]]:
    try:
        return [(text, parse_space(text)) for text in settings.spaces]
    except SpaceError as error:
        raise GraderFault(f"the assignment names a space that is none: {error}") from error


def collect(context: ProbeContext) -> RandomAgentEvidence:
    """Samples the agent's actions and compares its sequences under seeds."""
    settings: RandomAgentSettings = context.settings
    parsed = _parsed(settings)
    with context.worker(_FIRST_ENTROPY) as first:
        loaded = load(context, first)
        fields = context.base(**loaded.fields())
        if not loaded.complete:
            return RandomAgentEvidence(**fields)
        construction = _construction(first, parsed[0][1])
        if construction is not None:
            return RandomAgentEvidence(**fields, construction=construction)
        trials = tuple(_space_trial(first, text, space, settings.samples) for text, space in parsed)
        with context.worker(_SECOND_ENTROPY) as second:
            again = _load_again(context, second)
            seeded = tuple(
                SeededTrial(space=text, compared=0, incident=again)
                if again is not None
                else _seeded_trial(first, second, text, space, settings.sequence_length)
                for text, space in parsed
            )
    return RandomAgentEvidence(**fields, spaces=trials, seeded=seeded)


def _load_again(context: ProbeContext, worker: Worker) -> Incident | None:
    try:
        load_again(context, worker)
    except WorkerIncident as error:
        return error.incident
    return None


def _construction(worker: Worker, space: spaces.Space[Any]) -> Incident | None:
    try:
        _make(worker, space, _SAMPLING_SEED, "agent")
    except WorkerIncident as error:
        return error.incident
    return None


PROBE = ProbeKind(
    id="random_agent",
    roles=(
        Role("agent_class", "class", ("RandomAgent",)),
        Role("act", "method", ("act",), owner="agent_class"),
    ),
    settings=RandomAgentSettings,
    evidence=RandomAgentEvidence,
    collect=collect,
    uses_seeds=False,
)
"""Kind `random_agent`."""
