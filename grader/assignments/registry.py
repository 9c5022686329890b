"""The registry of kinds: how a part is probed, how a check is judged.

Kinds come in through two groups of entry points, the built-in ones like anyone else's:

- `grader.probes`: the name is the kind of part, the object a `ProbeKind`;
- `grader.checks`: the name is the kind of part, the object a tuple of `CheckKind`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import JsonValue

from grader.assignments.problems import Problem
from grader.errors import GraderFault
from grader.records.base import Record
from grader.records.evidence import PartEvidence
from grader.records.result import Verdict
from grader.records.spec import CheckSpec, PartBaseline, PartSpec

PROBES_GROUP: Final = "grader.probes"
CHECKS_GROUP: Final = "grader.checks"


class NoSettings(Record):
    """For kinds that have nothing to set."""


@dataclass(frozen=True)
class Role:
    """Something a file must define, such as a class or one of its methods."""

    name: str
    """Key in the part's `names`."""
    what: str
    """`class`, `function` or `method`, as told to the student."""
    default_names: tuple[str, ...]
    """Accepted names when the assignment gives none."""
    owner: str | None = None
    """For a method: the role of its class."""
    optional: bool = False
    """Whether a file is complete without it."""
    instead_of: str | None = None
    """The role that it can stand in for: it is looked for where nothing was found for that one,
    and when it is there, that one is not missed."""


@dataclass(frozen=True)
class ProbeKind:
    """How parts of one kind are run and observed (needs a worker)."""

    id: str
    roles: tuple[Role, ...]
    settings: type[Record]
    evidence: type[PartEvidence]
    collect: Callable[..., PartEvidence]
    """Called with a `grader.probes.context.ProbeContext`."""
    uses_baseline: bool = False
    """Whether its checks need recorded reference results."""
    uses_seeds: bool = True
    """Whether it looks at the assignment's seeds; other seeds leave evidence of others valid."""


@dataclass(frozen=True)
class JudgeInput:
    """All that a judge may look at."""

    part_id: str
    part: PartSpec
    check: CheckSpec
    part_settings: Any
    """Instance of the probe kind's settings."""
    settings: Any
    """Instance of the check kind's settings."""
    evidence: Any
    """Instance of the probe kind's evidence, loaded without incident."""
    baseline: PartBaseline | None = None
    reference_versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the packages that played the baseline's episodes."""


@dataclass(frozen=True)
class CheckKind:
    """How one kind of check is judged: a pure function of saved evidence."""

    id: str
    """`<kind of part>.<name>`."""
    settings: type[Record]
    judge: Callable[[JudgeInput], Verdict]
    description: str
    """What it looks at, for instructors."""
    needs: str | None = None
    """A setting of the part, off by itself, that an assignment with this check must turn on."""
    part_problems: Callable[[Mapping[str, Any]], list[Problem]] | None = None
    """Finds what is wrong with a part's settings beyond their form, given as they stand in the
    file; key paths begin below `settings`. For what needs more than the settings' own types, such
    as layers that cannot follow each other."""


class UnknownKind(LookupError):
    """No kind of this name is installed.

    Attributes:
        name: the name asked for.
        known: the names there are.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.known = known
        super().__init__(f"no kind {name!r}; there are: {', '.join(known)}")


@cache
def _entries(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def probe_kinds() -> tuple[str, ...]:
    """Names of all installed kinds of part."""
    return tuple(sorted(_entries(PROBES_GROUP)))


@cache
def probe_kind(name: str) -> ProbeKind:
    """The kind of part with this name.

    Raises:
        UnknownKind: none is installed.
        GraderFault: the plugin that offers it is broken; its author must act.
    """
    entries = _entries(PROBES_GROUP)
    if name not in entries:
        raise UnknownKind(name, probe_kinds())
    loaded = entries[name].load()
    if not isinstance(loaded, ProbeKind):
        raise GraderFault(f"plugin {entries[name].value} is not a ProbeKind")
    return loaded


@cache
def check_kinds(part_kind: str) -> dict[str, CheckKind]:
    """All checks offered for a kind of part, by id.

    Raises:
        GraderFault: the plugin that offers them is broken; its author must act.
    """
    entry = _entries(CHECKS_GROUP).get(part_kind)
    if entry is None:
        return {}
    loaded = entry.load()
    if not isinstance(loaded, tuple) or not all(isinstance(kind, CheckKind) for kind in loaded):
        raise GraderFault(f"plugin {entry.value} is not a tuple of CheckKind")
    return {kind.id: kind for kind in loaded}


def check_kind(name: str) -> CheckKind:
    """The kind of check with this id.

    Raises:
        UnknownKind: none is installed.
    """
    kinds = check_kinds(name.partition(".")[0])
    if name not in kinds:
        raise UnknownKind(name, tuple(kinds))
    return kinds[name]


def settings_of(model: type[Record], data: dict[str, JsonValue]) -> Any:
    """Typed settings from what stands in the assignment.

    Raises:
        pydantic.ValidationError: the settings do not fit the kind.
    """
    return model.parse(data)
