"""What makes an assignment wrong beyond the form of its file.

The rules look at the file's data as it was read, not at a finished `Assignment`, so that a wrong
key in one part does not hide a wrong setting in another: the author sees all problems at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from grader.assignments import registry
from grader.assignments.environments import setting_problems
from grader.assignments.positions import KeyPath
from grader.assignments.problems import Problem, not_one_of, record_problems
from grader.assignments.registry import CheckKind, ProbeKind, Role
from grader.records.agent_settings import Decides, environment_alone
from grader.records.environments import PlayedEnvironment
from grader.records.spec import Assignment, Baselines, PartBaseline, PartSpec, Visibility

_PARTS: Final = "parts"
_FOR_INTERVALS: Final = 10
"""Episodes from which the end of an interval may decide marks."""


def find_problems(data: dict[str, Any]) -> list[Problem]:
    """All problems of an assignment file.

    Args:
        data: what `tomllib` read from it.
    """
    problems = [
        problem
        for part_id, part in _tables(data, _PARTS)
        for problem in _part_problems((_PARTS, part_id), part)
    ]
    problems += _requires_problems(data)
    problems += _points_problems(data)
    problems += _seeds_problems(data)
    problems += _interval_problems(data)
    # Of two problems with one key, the one that knows what else is in the file says more.
    explained = {problem.path for problem in problems}
    form = [each for each in record_problems(Assignment, data) if each.path not in explained]
    return form + problems


def _table(node: Any, key: str) -> dict[str, Any]:
    """The table under a key, or an empty one where the file has something else there."""
    found = node.get(key) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def _tables(node: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in _table(node, key).items():
        if isinstance(value, dict):
            yield name, value


def _checks(data: dict[str, Any]) -> Iterator[tuple[KeyPath, str, dict[str, Any]]]:
    for part_id, part in _tables(data, _PARTS):
        for name, check in _tables(part, "checks"):
            yield (_PARTS, part_id, "checks", name), f"{part_id}.{name}", check


# --- parts and their kinds ----------------------------------------------------------------------


def _part_problems(at: KeyPath, part: dict[str, Any]) -> Iterator[Problem]:
    name = part.get("kind")
    if not isinstance(name, str):
        return
    try:
        kind = registry.probe_kind(name)
    except registry.UnknownKind as unknown:
        yield Problem((*at, "kind"), not_one_of("there is no kind of part", name, unknown.known))
        return
    offered = registry.check_kinds(name)
    yield from _part_settings_problems(at, part, kind, offered)
    yield from _names_problems(at, part, kind)
    for check_name, check in _tables(part, "checks"):
        yield from _check_problems((*at, "checks", check_name), name, check, offered)
        yield from _needs_problems((*at, "checks", check_name), part, check, offered)


def _settings_problems(
    at: KeyPath, table: dict[str, Any], kind: ProbeKind | CheckKind
) -> list[Problem]:
    settings = table.get("settings", {})
    if not isinstance(settings, dict):
        return []
    return record_problems(kind.settings, settings, (*at, "settings"))


def _part_settings_problems(
    at: KeyPath, part: dict[str, Any], kind: ProbeKind, offered: dict[str, CheckKind]
) -> list[Problem]:
    form = _settings_problems(at, part, kind)
    place = (*at, "settings")
    settings = _table(part, "settings")
    told = [
        problem
        for check in offered.values()
        if check.part_problems is not None
        for problem in check.part_problems(settings)
    ]
    if issubclass(kind.settings, PlayedEnvironment):
        told += setting_problems(settings)
    found = [Problem((*place, *problem.path), problem.text) for problem in told]
    # What is said of the settings as a whole is said of a key, where that is known.
    return [each for each in form if not (found and each.path == place)] + found


def _names_problems(at: KeyPath, part: dict[str, Any], kind: ProbeKind) -> Iterator[Problem]:
    given = _table(part, "names")
    roles = {role.name: role for role in kind.roles}
    for name in given:
        if name not in roles:
            text = not_one_of(f"a part of kind {kind.id} has no role", name, roles)
            yield Problem((*at, "names", name), text)
    for role in roles.values():
        if not role.default_names and role.name not in given:
            yield Problem((*at, "names"), _needs_name(role))


def _needs_name(role: Role) -> str:
    return (
        f"the {role.what} `{role.name}` has no name yet; add the names you accept for it, such as "
        f'{role.name} = ["my_{role.what}"]'
    )


def _check_problems(
    at: KeyPath, part_kind: str, check: dict[str, Any], offered: dict[str, CheckKind]
) -> Iterator[Problem]:
    named = check.get("kind")
    wanted = named if isinstance(named, str) else f"{part_kind}.{at[-1]}"
    kind = offered.get(wanted)
    if kind is not None:
        yield from _settings_problems(at, check, kind)
    elif named is None:
        text = not_one_of("there is no kind of check", wanted, offered)
        yield Problem(at, f"{text} Set `kind` to use one of them under a name of your own.")
    elif isinstance(named, str):
        text = not_one_of(f"a part of kind {part_kind} has no check", wanted, offered)
        yield Problem((*at, "kind"), text)


def _needs_problems(
    at: KeyPath, part: dict[str, Any], check: dict[str, Any], offered: dict[str, CheckKind]
) -> Iterator[Problem]:
    """A check whose part does not record what it looks at."""
    kind = offered.get(str(check.get("kind", f"{part['kind']}.{at[-1]}")))
    if kind is not None and kind.needs is not None and not _table(part, "settings").get(kind.needs):
        yield Problem(at, f"{kind.id} needs the part's setting `{kind.needs}`, which is off")


# --- what requires what -------------------------------------------------------------------------


def _requires_problems(data: dict[str, Any]) -> Iterator[Problem]:
    checks = {check_id: (at, check) for at, check_id, check in _checks(data)}
    needs: dict[str, list[str]] = {}
    for check_id, (at, check) in checks.items():
        named = check.get("requires", [])
        needs[check_id] = [name for name in named if name in checks] if _is_texts(named) else []
        for index, name in enumerate(named if _is_texts(named) else ()):
            place = (*at, "requires", index)
            if name not in checks:
                yield Problem(place, not_one_of("there is no check", name, checks))
            elif _is_hidden(checks[name][1]) and not _is_hidden(check):
                yield Problem(
                    place,
                    f'"{name}" is hidden, so students could never pass what requires it; make '
                    f'"{check_id}" hidden too, or "{name}" public',
                )
    for cycle in _cycles(needs):
        at = checks[cycle[0]][0]
        shown = " → ".join([*cycle, cycle[0]])
        text = (
            "a check cannot require itself"
            if len(cycle) == 1
            else f"these checks require each other in a circle: {shown}"
        )
        yield Problem((*at, "requires"), text)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_hidden(check: dict[str, Any]) -> bool:
    return check.get("visibility") == Visibility.HIDDEN


def _cycles(needs: dict[str, list[str]]) -> Iterator[list[str]]:
    """Each circle once, from its first member in the order of the file."""
    settled: set[str] = set()
    for start in needs:
        trail: list[str] = []
        branches = [iter([start])]
        while branches:
            check_id = next(branches[-1], None)
            if check_id is None:
                branches.pop()
                if trail:
                    settled.add(trail.pop())
            elif check_id in trail:
                circle = trail[trail.index(check_id) :]
                first = min(range(len(circle)), key=lambda i: list(needs).index(circle[i]))
                yield circle[first:] + circle[:first]
            elif check_id not in settled:
                trail.append(check_id)
                branches.append(iter(needs[check_id]))


def _points_problems(data: dict[str, Any]) -> Iterator[Problem]:
    points = [check.get("points") for _, _, check in _checks(data)]
    if points and all(value == 0 and not isinstance(value, bool) for value in points):
        yield Problem((_PARTS,), "every check is worth 0 points; give at least one some points")


def _seeds_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Seeds may be left out where no part plays episodes."""
    if "seeds" in data:
        return
    kinds = [part.get("kind") for _, part in _tables(data, _PARTS)]
    if not kinds or any(map(_plays_episodes, kinds)):
        text = (
            "this key is missing; expected a table with `public` and `final`, such as "
            "{ public = [1, 2], final = [3, 4, 5] }, or { public = [1, 2], final_episodes = 20 } "
            "for final seeds from a secret file"
        )
        yield Problem(("seeds",), text)


def _interval_problems(data: dict[str, Any]) -> Iterator[Problem]:
    """Points that hang on an interval over too few episodes to have one worth the name."""
    seeds = _table(data, "seeds")
    final = seeds.get("final")
    count = seeds.get("final_episodes", len(final) if isinstance(final, list) else 0)
    for at, _, check in _checks(data):
        decides = _table(check, "settings").get("decides")
        if decides == Decides.INTERVAL_LOW and isinstance(count, int) and count < _FOR_INTERVALS:
            yield Problem(
                (*at, "settings", "decides"),
                f"grading plays {count} episodes, and the end of an interval over so few says "
                f"little; play at least {_FOR_INTERVALS}, or let the estimate decide",
            )


def _plays_episodes(kind: object) -> bool:
    try:
        return not isinstance(kind, str) or registry.probe_kind(kind).uses_seeds
    except registry.UnknownKind:
        return True


# --- recorded results of the reference agents ---------------------------------------------------


def baseline_parts(assignment: Assignment) -> tuple[str, ...]:
    """Ids of the parts whose checks compare with recorded reference results.

    Raises:
        registry.UnknownKind: a part's kind is not installed.
    """
    return tuple(
        part_id
        for part_id, part in assignment.parts.items()
        if registry.probe_kind(part.kind).uses_baseline
    )


def baseline_problems(
    assignment: Assignment,
    baselines: Baselines,
    run: str,
    *,
    file: str = "baselines.json",
    secret_seeds: Mapping[str, tuple[int, ...]] | None = None,
) -> list[Problem]:
    """Where recorded results do not belong to the assignment as it now is.

    Args:
        assignment: the assignment.
        baselines: the results recorded for it.
        run: the command that records them anew, told to the author.
        file: name of the file that holds them.
        secret_seeds: the final seeds by part, where they are derived from a secret; such results
            have no public seeds.

    Returns:
        Problems with key paths of the assignment file.
    """
    problems = []
    if baselines.assignment_id != assignment.id:
        text = (
            f'{file} was recorded for "{baselines.assignment_id}", this is '
            f'"{assignment.id}"; run `{run}`'
        )
        problems.append(Problem(("id",), text))
    seeds = assignment.seeds
    for part_id in baseline_parts(assignment):
        recorded = baselines.parts.get(part_id)
        if recorded is None:
            continue
        public = seeds.public if secret_seeds is None else ()
        final = seeds.final if secret_seeds is None else secret_seeds[part_id]
        for name, wanted, used in (
            ("public", public, recorded.public.seeds),
            ("final", final, recorded.final.seeds),
        ):
            if wanted != used:
                text = (
                    f'the results in {file} for part "{part_id}" were recorded with other '
                    f"seeds; run `{run}`"
                )
                problems.append(Problem(("seeds", name), text))
        problems += _other_environment(part_id, assignment.parts[part_id], recorded, file, run)
    return problems


def _other_environment(
    part_id: str, part: PartSpec, recorded: PartBaseline, file: str, run: str
) -> Iterator[Problem]:
    at = (_PARTS, part_id, "settings")
    asked = played_environment(part)
    if asked is None:
        return
    if asked.environment_id != recorded.environment_id:
        text = (
            f"{file} holds results of {recorded.environment_id}, not of {asked.environment_id}; "
            f"run `{run}`"
        )
        yield Problem((*at, "environment_id"), text)
    elif recorded.environment is not None:
        for name, value in asked:
            if value != getattr(recorded.environment, name):
                text = f"{file} was recorded with another `{name}`; run `{run}`"
                yield Problem((*at, name) if name in part.settings else at, text)


def played_environment(part: PartSpec) -> PlayedEnvironment | None:
    """The environment that a part is played in, where its kind plays one."""
    try:
        settings = registry.settings_of(registry.probe_kind(part.kind).settings, part.settings)
    except ValidationError:
        return None
    return environment_alone(settings) if isinstance(settings, PlayedEnvironment) else None


def environment_of(part: PartSpec) -> str | None:
    """The Gymnasium id that a part is played in, where its kind has such a setting."""
    played = played_environment(part)
    return None if played is None else played.environment_id
