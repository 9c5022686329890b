"""What is wrong with a network that an assignment asks for, beyond the form of its settings.

Every problem is told where it stands in the file. The rules that need no shapes come first; those
that do (see `feasibility` and `contradictions`) follow once nothing else is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from grader.assignments.positions import KeyPath, path_text
from grader.assignments.problems import Problem, did_you_mean, not_one_of
from grader.checks.architecture import contradictions, feasibility
from grader.checks.architecture.layers import ATTENTIONS, DROPOUTS, NORMALIZATIONS
from grader.checks.architecture.ranges import WINDOW_NAMES, range_problems
from grader.records.arithmetic import ArithmeticProblem, evaluate, names_in
from grader.records.layer_families import FAMILIES, MERGES, SEVERAL_INPUTS
from grader.records.network_settings import SIZE_FIELDS, NetworkSettings
from grader.records.patterns import (
    AnyOfPattern,
    FreeEntry,
    LayerEntry,
    LayerPattern,
    OneSize,
    OneWindow,
    RepeatPattern,
)
from grader.records.variants import MAX_VARIANTS

Leaf = LayerEntry | FreeEntry

_MAX_DEPTH: Final = 6
_UNCOUNTED: Final = 1_000_000
_FURTHER_KINDS: Final = frozenset(
    {"Rescaling", "Normalization", "Lambda", "TimeDistributed", "ConvLSTM1D", "ConvLSTM2D",
     "ConvLSTM3D", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
     "ZeroPadding2D", "ZeroPadding3D", "Cropping1D", "Cropping2D", "Cropping3D", "Resizing",
     "CenterCrop", "GroupQueryAttention", "EinsumDense", "Discretization", "CategoryEncoding",
     "RandomFlip", "RandomRotation", "RandomZoom", "RandomCrop", "RandomTranslation",
     "RandomContrast", "RandomBrightness", "AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D"}
)  # fmt: skip
KNOWN_KINDS: Final = tuple(sorted(FAMILIES.keys() | DROPOUTS | NORMALIZATIONS | _FURTHER_KINDS))
"""Kinds of layer that can be forbidden."""


@dataclass(frozen=True)
class _Names:
    """Names that entries further down can read.

    Attributes:
        sure: names that are there whichever alternatives are taken.
        possible: names that are there with some of them.
    """

    sure: frozenset[str]
    possible: frozenset[str]

    def with_name(self, name: str | None) -> _Names:
        new = frozenset() if name is None else frozenset({name})
        return _Names(self.sure | new, self.possible | new)


@dataclass
class _Written:
    """The settings as far as they can be read, one by one."""

    layers: tuple[LayerPattern, ...] = ()
    leaves: list[tuple[KeyPath, Leaf]] = field(default_factory=list)
    calls: tuple[dict[str, Any], ...] = ()
    values: dict[str, Any] = field(default_factory=dict)


def network_problems(settings: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the settings of a `network` part beyond their form.

    Args:
        settings: as they stand in the assignment's file.

    Returns:
        Problems with key paths below the settings.
    """
    try:
        written = _read(settings)
    except RecursionError:
        return []
    found = [
        *_choice_problems(settings),
        *_call_problems(written),
        *_expression_problems(written),
        *_name_problems(written),
        *_count_problems(written),
        *_reads_problems(written),
        *_window_problems(written),
        *range_problems(written.leaves),
        *_forbidden_problems(written),
    ]
    if found:
        return found
    try:
        whole = NetworkSettings.parse(settings)
    except (ValidationError, TypeError, ValueError):
        return []
    places = {id(entry): at for at, entry in _leaves(whole.layers, ("layers",))}

    def place(entry: Leaf) -> KeyPath:
        return places[id(entry)]

    return list(feasibility.problems(whole, place)) or list(contradictions.problems(whole, place))


def _read(settings: Mapping[str, Any]) -> _Written:
    values: dict[str, Any] = {}
    for name, info in NetworkSettings.model_fields.items():
        annotation: Any = info.annotation
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=ConfigDict(strict=True))
        try:
            values[name] = adapter.validate_json(json.dumps(settings[name]))
        except (KeyError, TypeError, ValueError):
            continue
    layers = values.get("layers", ())
    calls = values.get("arguments") or tuple(
        {"num_actions": number} for number in values.get("num_actions", ())
    )
    return _Written(layers, list(_leaves(layers, ("layers",))), calls, values)


def _leaves(
    entries: tuple[LayerPattern, ...], at: KeyPath, depth: int = 0
) -> Iterator[tuple[KeyPath, Leaf]]:
    """Every entry that is no list of others, with its key path."""
    for number, entry in enumerate(entries if depth <= _MAX_DEPTH else ()):
        here = (*at, number)
        match entry:
            case AnyOfPattern():
                for which, choice in enumerate(entry.choices):
                    yield from _leaves(choice, (*here, "choices", which), depth + 1)
            case RepeatPattern():
                yield from _leaves(entry.layers, (*here, "layers"), depth + 1)
            case _:
                yield here, entry


# --- inputs and arguments -----------------------------------------------------------------------


def _choice_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    for short, long, example in (
        ("input_shapes", "inputs", "input_shapes = [[84, 84, 4]]"),
        ("num_actions", "arguments", "arguments = [{ classes = 10 }, { classes = 3 }]"),
    ):
        if settings.get(short) and settings.get(long):
            yield Problem((long,), f"`{long}` and `{short}` say the same; keep one of them")
        elif not settings.get(short) and not settings.get(long):
            text = f"`{short}` or `{long}` is missing, such as {example}"
            yield Problem((short,) if short in settings else (), text)


def _call_problems(written: _Written) -> Iterator[Problem]:
    for number, call in enumerate(written.calls[1:], 1):
        for name in sorted(written.calls[0].keys() - call.keys()):
            text = f"this call lacks `{name}`, which the first has; all need the same names"
            yield Problem(("arguments", number), text)
        for name in call.keys() - written.calls[0].keys():
            text = "the first call has no such argument; all need the same names"
            yield Problem(("arguments", number, name), text)
    inputs = written.values.get("inputs", ())
    for number, single in enumerate(inputs):
        if single.name in {other.name for other in inputs[:number]}:
            text = f"two inputs are named {single.name}; give each a name of its own"
            yield Problem(("inputs", number, "name"), text)


def _expression_problems(written: _Written) -> Iterator[Problem]:
    if not written.calls or any(call.keys() != written.calls[0].keys() for call in written.calls):
        return
    for at, text, least in _expressions(written):
        problem = _expression_problem(text, written.calls, least)
        if problem:
            yield Problem(at, problem)


def _expressions(written: _Written) -> Iterator[tuple[KeyPath, str, int | None]]:
    """Each expression with its place and the least value it may have."""
    for number, shape in enumerate(written.values.get("input_shapes", ())):
        yield from ((("input_shapes", number, n), s, 1) for n, s in _texts(shape))
    output = written.values.get("output_shape") or ()
    yield from ((("output_shape", n), s, 1) for n, s in _texts(output))
    for number, single in enumerate(written.values.get("inputs", ())):
        at: KeyPath = ("inputs", number)
        for which, shape in enumerate(single.shapes):
            yield from (((*at, "shapes", which, n), s, 1) for n, s in _texts(shape))
        yield from (((*at, "range", n), s, None) for n, s in _texts(single.range))
    for at, entry in written.leaves:
        for name, value in entry:
            if isinstance(value, OneSize):
                yield from (((*at, name, "one_of", n), s, 1) for n, s in _texts(value.one_of))
            elif name in SIZE_FIELDS and isinstance(value, str) and value != "any":
                yield (*at, name), value, 1


def _texts(values: Iterable[Any]) -> list[tuple[int, str]]:
    return [(number, value) for number, value in enumerate(values) if isinstance(value, str)]


def _expression_problem(
    text: str, calls: tuple[dict[str, Any], ...], least: int | None
) -> str | None:
    names = calls[0].keys()
    unknown = sorted(names_in(text) - names)
    if unknown:
        return not_one_of("the builder has no argument", unknown[0], names)
    for call in calls:
        try:
            value = evaluate(text, call)
        except ArithmeticProblem as problem:
            return (
                f'"{text}" has no value: {problem}; expected a whole number, or arithmetic such '
                f'as "2 * {next(iter(names), "units")}"'
            )
        if least is not None and value < least:
            given = ", ".join(f"{name} = {call[name]}" for name in sorted(names_in(text)))
            return f'"{text}" is {value}{f" for {given}" if given else ""}; it must be at least 1'
    return None


# --- what reads what ----------------------------------------------------------------------------


def _name_problems(written: _Written) -> Iterator[Problem]:
    inputs = [single.name for single in written.values.get("inputs", ())] or ["input"]
    problems: list[Problem] = []
    known = _scoped(
        written.layers, ("layers",), _Names(frozenset(inputs), frozenset(inputs)), problems
    )
    yield from problems
    if not written.layers:
        return
    for number, name in enumerate(written.values.get("outputs", ())):
        problem = _name_problem(name, known)
        if problem:
            yield Problem(("outputs", number), problem)


def _scoped(
    entries: tuple[LayerPattern, ...], at: KeyPath, known: _Names, problems: list[Problem]
) -> _Names:
    """The names known behind a list of entries; what is wrong with those they read is noted."""
    if len(at) > 3 * _MAX_DEPTH:
        return known
    for number, entry in enumerate(entries):
        here = (*at, number)
        match entry:
            case AnyOfPattern():
                ends = [
                    _scoped(choice, (*here, "choices", which), known, problems)
                    for which, choice in enumerate(entry.choices)
                ]
                known = _Names(
                    frozenset.intersection(*(end.sure for end in ends)),
                    frozenset.union(*(end.possible for end in ends)),
                )
            case RepeatPattern():
                end = _scoped(entry.layers, (*here, "layers"), known, problems)
                known = _Names(known.sure if entry.min == 0 else end.sure, end.possible)
            case _:
                for which, name in enumerate(entry.reads):
                    problem = _name_problem(name, known)
                    if problem:
                        problems.append(Problem((*here, "reads", which), problem))
                if entry.name in known.possible:
                    text = (
                        f'the name "{entry.name}" is taken by an input or by an entry before; '
                        "give this one another"
                    )
                    problems.append(Problem((*here, "name"), text))
                known = known.with_name(entry.name)
    return known


def _name_problem(name: str, known: _Names) -> str | None:
    if name in known.sure:
        return None
    if name in known.possible:
        return (
            f'"{name}" is there with some alternatives only; give an entry of each of them this '
            "name"
        )
    hint = did_you_mean(name, known.sure) or "."
    listed = ", ".join(f'"{each}"' for each in sorted(known.sure))
    return f'nothing before this place is named "{name}"{hint} There are: {listed}.'


def _count_problems(written: _Written) -> Iterator[Problem]:
    count = _networks(written.layers)
    if count > MAX_VARIANTS:
        told = f"{count:,}" if count < _UNCOUNTED else "millions of"
        yield Problem(
            ("layers",),
            f"alternatives and repeats allow {told} networks, and {MAX_VARIANTS} are the most; "
            "use fewer `choices`, a smaller `max`, or `optional = true` for a single layer",
        )


def _networks(entries: tuple[LayerPattern, ...]) -> int:
    """How many networks the alternatives allow, counted no further than is told."""
    counts = []
    for entry in entries:
        match entry:
            case AnyOfPattern():
                counts.append(sum(_networks(choice) for choice in entry.choices))
            case RepeatPattern():
                one = _networks(entry.layers)
                counts.append(sum(one**times for times in range(entry.min, entry.max + 1)))
    return min(math.prod(counts), _UNCOUNTED)


def _reads_problems(written: _Written) -> Iterator[Problem]:
    for at, entry in written.leaves:
        count, kind = max(len(entry.reads), 1), entry.layer
        place = (*at, "reads") if entry.reads else at
        if kind == "Dueling" and count != 2:
            yield Problem(
                place,
                "Dueling reads two layers, the value and the advantages; name them, such as "
                'reads = ["state_value", "advantages"]',
            )
        elif kind in MERGES and count < 2:
            yield Problem(
                place,
                f"{kind} brings several layers together; give them a `name`, and name them here, "
                'such as reads = ["left", "right"]',
            )
        elif kind in ATTENTIONS and not 2 <= count <= 3:
            yield Problem(
                place,
                f"{kind} reads query and value, and the key where it is another; for "
                'self-attention name the same layer twice, such as reads = ["words", "words"]',
            )
        elif kind not in SEVERAL_INPUTS and count > 1:
            yield Problem(
                place,
                f"{kind} reads one layer, and this names {count}; merge them before, with an "
                "entry such as Concatenate",
            )


def _window_problems(written: _Written) -> Iterator[Problem]:
    """Windows with another number of sides than the layer has."""
    for at, entry in written.leaves:
        rank = FAMILIES[entry.layer].rank if entry.layer in FAMILIES else 0
        for name, value in entry:
            listed = value.one_of if isinstance(value, OneWindow) else (value,)
            for number, window in enumerate(listed):
                if name in WINDOW_NAMES and isinstance(window, tuple) and len(window) != rank:
                    place = (*at, name, "one_of", number) if len(listed) > 1 else (*at, name)
                    wanted = "one number" if rank == 1 else f"{rank} numbers, or one for all sides"
                    yield Problem(place, f"{entry.layer} takes {wanted}, received {list(window)}")


def _forbidden_problems(written: _Written) -> Iterator[Problem]:
    asked = {entry.layer: at for at, entry in reversed(written.leaves)}
    for number, kind in enumerate(written.values.get("forbidden", ())):
        if kind in asked:
            text = f"{kind} is asked for in {path_text(asked[kind])}; it cannot be forbidden too"
            yield Problem(("forbidden", number), text)
        elif kind not in KNOWN_KINDS:
            hint = did_you_mean(kind, KNOWN_KINDS)
            names = hint or '; expected a name as Keras has it, such as "Flatten"'
            yield Problem(("forbidden", number), f'there is no layer "{kind}"{names}')
