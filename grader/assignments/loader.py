"""Loading an assignment: by the id of a built-in one, or from a file of the instructor's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from grader.assignments.positions import Positions, key_positions, path_text
from grader.assignments.problems import Problem, did_you_mean, record_problems, told
from grader.assignments.seal import SEAL, seal_of
from grader.assignments.secret import Secret, seeds_by_part
from grader.assignments.validation import baseline_parts, baseline_problems, find_problems
from grader.errors import AssignmentError, UsageError
from grader.records.report import SeedSet
from grader.records.spec import Assignment, Baselines

ASSIGNMENT_FILE: Final = "assignment.toml"
BASELINES_FILE: Final = "baselines.json"
_BUILTIN: Final = Path(__file__).parent / "builtin"
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_SYNTAX_HINTS: Final = (
    ("Cannot overwrite", "this key stands twice in its table; keep one of them"),
    ("Duplicate inline table key", "this key stands twice in its table; keep one of them"),
    ("Cannot declare", "this table stands twice; put its keys under one header"),
    ("Cannot redefine", "this table stands twice; put its keys under one header"),
    ("Cannot mutate", "this table was finished further up; put its keys there"),
    ("Expected '='", "expected `=` after the key"),
    ("Expected newline", "something stands behind the value; one key to a line, texts in quotes"),
    ("Expected ']", "expected `]` after the name of the table"),
    ("Unterminated string", "a text is not closed; every opening quote needs a closing one"),
    ("Expected \"'", "a text is not closed; every opening quote needs a closing one"),
    ("Found invalid character", "a text is not closed on its line, or holds a control character"),
    ("Illegal character", "a text is not closed on its line, or holds a control character"),
    ("Invalid value", "expected a value: texts need quotes, and true and false are lower-case"),
    ("Invalid statement", "expected a key, a [table] or a # comment"),
    ("Invalid initial character", "expected a key; one with special characters needs quotes"),
    ("Unclosed array", "a list is not closed; it needs a `]`, and commas between its elements"),
    ("Unclosed inline", "a `{` is not closed; it needs a `}`, and commas between its keys"),
    ("Unescaped '\\'", "a `\\` in a text must be written `\\\\`, or the text put in single quotes"),
)


@dataclass(frozen=True)
class LoadedAssignment:
    """An assignment that has been found right, with the results of the reference agents."""

    assignment: Assignment
    baselines: Baselines | None
    """Recorded reference results; None when there is no `baselines.json`."""
    digest: str
    """`sha256:<hex>` over what the assignment and its baselines say.

    Two files that say the same have the same digest: comments, white space and keys that repeat a
    default do not count. The order of parts and checks does, because the report follows it.
    """
    path: Path
    """The `assignment.toml` it was read from."""
    secret_seeds: Mapping[str, tuple[int, ...]] | None = field(default=None, repr=False)
    """Final seeds by part, derived from a secret; None where the assignment's own are played."""

    def seeds_of(self, part_id: str, seed_set: SeedSet) -> tuple[int, ...]:
        """Seeds of the episodes that a part plays."""
        if seed_set is SeedSet.PUBLIC:
            return self.assignment.seeds.public
        if self.secret_seeds is not None:
            return self.secret_seeds[part_id]
        return self.assignment.seeds.final


def builtin_ids() -> tuple[str, ...]:
    """Ids of the assignments that come with the package."""
    return tuple(sorted(file.parent.name for file in _BUILTIN.glob(f"*/{ASSIGNMENT_FILE}")))


def load_assignment(
    id_or_file: str, *, with_baselines: bool = True, secret: Secret | None = None
) -> LoadedAssignment:
    """Loads an assignment and finds all that is wrong with it.

    Args:
        id_or_file: the id of a built-in assignment, an `assignment.toml`, or a folder that holds
            one. A built-in id wins over a file or folder of the same name; write `./week13` for
            those.
        with_baselines: whether to read `baselines.json` beside it. Off for the command that
            records it anew, which must not stumble over an outdated one.
        secret: what the final seeds are derived from, and beside what their reference results are
            kept; None for the assignment's own final seeds.

    Raises:
        UsageError: there is no such assignment; the caller must act.
        AssignmentError: the file is wrong; its author must act. Holds all problems, each as
            `file:line: key: what is wrong`.
    """
    path = _find(id_or_file)
    text, data = _read(path)
    positions = key_positions(text)
    problems = find_problems(data)
    if problems:
        raise AssignmentError(str(path), told(problems, path.name, positions))
    assignment = Assignment.parse(data)
    if secret is not None:
        seeds = seeds_by_part(secret, assignment)
        recorded = _read_secret_results(assignment, path, secret, seeds) if with_baselines else None
        return with_secret_seeds(LoadedAssignment(assignment, None, "", path), seeds, recorded)
    baselines = _read_baselines(assignment, path, positions) if with_baselines else None
    return LoadedAssignment(assignment, baselines, _digest(assignment, baselines), path)


def with_secret_seeds(
    loaded: LoadedAssignment, seeds: Mapping[str, tuple[int, ...]], baselines: Baselines | None
) -> LoadedAssignment:
    """An assignment with other final seeds than its own.

    Args:
        loaded: the assignment.
        seeds: the final seeds, by part.
        baselines: what the reference agents reached on them.
    """
    digest = _digest(loaded.assignment, baselines, seeds)
    return replace(loaded, baselines=baselines, digest=digest, secret_seeds=dict(seeds))


def refused(loaded: LoadedAssignment, problems: Iterable[Problem]) -> AssignmentError:
    """What to raise where an assignment that was loaded cannot be used after all.

    Args:
        loaded: the assignment.
        problems: what is wrong, with key paths of its file.
    """
    text, _ = _read(loaded.path)
    lines = told(problems, loaded.path.name, key_positions(text))
    return AssignmentError(str(loaded.path), lines)


def missing_baselines(loaded: LoadedAssignment) -> tuple[str, ...]:
    """Ids of the parts that cannot be graded until `grader baseline FILE` has been run."""
    recorded = loaded.baselines.parts if loaded.baselines is not None else {}
    return tuple(part for part in baseline_parts(loaded.assignment) if part not in recorded)


def _find(id_or_file: str) -> Path:
    if id_or_file in builtin_ids():
        return _BUILTIN / id_or_file / ASSIGNMENT_FILE
    path = Path(id_or_file)
    if path.is_dir():
        inside = path / ASSIGNMENT_FILE
        if not inside.is_file():
            raise UsageError(f"the folder {id_or_file} holds no {ASSIGNMENT_FILE}")
        return inside
    if path.exists():
        return path
    separators = {os.sep, os.altsep or os.sep, "/"}
    if path.suffix == ".toml" or any(mark in id_or_file for mark in separators):
        raise UsageError(f"there is no assignment file {id_or_file}")
    known = builtin_ids()
    hint = did_you_mean(id_or_file, known) or "."
    raise UsageError(
        f'there is no built-in assignment "{id_or_file}"{hint} There are: {", ".join(known)}. '
        f"For one of your own, give the path of its {ASSIGNMENT_FILE}."
    )


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"{path.name}:{line}: not UTF-8; save the file in this encoding"
        raise AssignmentError(str(path), (problem,)) from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AssignmentError(str(path), (_syntax_problem(path, text, str(error)),)) from error
    except (ValueError, RecursionError) as error:
        problem = f"{path.name}: a number is too long, or lists stand too deep in each other"
        raise AssignmentError(str(path), (problem,)) from error


def _syntax_problem(path: Path, text: str, message: str) -> str:
    place = _PLACE.search(message)
    line = place.group(1) if place and place.group(1) else str(text.rstrip().count("\n") + 1)
    noticed = " (noticed at the end of the file)" if place else ""
    column = f" (column {place.group(2)})" if place and place.group(2) else noticed
    what = _PLACE.sub("", message)
    hint = next((hint for start, hint in _SYNTAX_HINTS if what.startswith(start)), what)
    return f"{path.name}:{line}: not valid TOML: {hint}{column}"


def _read_baselines(assignment: Assignment, path: Path, positions: Positions) -> Baselines | None:
    file = path.parent / BASELINES_FILE
    run = f"grader baseline {path}"
    baselines = _sealed_results(file, run)
    if baselines is None:
        return None
    problems = baseline_problems(assignment, baselines, run)
    if problems:
        raise AssignmentError(str(path), told(problems, path.name, positions))
    return baselines


def _read_secret_results(
    assignment: Assignment, path: Path, secret: Secret, seeds: Mapping[str, tuple[int, ...]]
) -> Baselines | None:
    file = secret.baselines_file(assignment.id)
    run = f"grader baseline {path} --reference FOLDER --secret-file {secret.path}"
    baselines = _sealed_results(file, run)
    if baselines is None:
        return None
    problems = baseline_problems(assignment, baselines, run, file=file.name, secret_seeds=seeds)
    if problems:
        raise AssignmentError(str(file), tuple(problem.text for problem in problems))
    return baselines


def _sealed_results(file: Path, run: str) -> Baselines | None:
    """Recorded results as they were written; None when there are none.

    Args:
        file: where they stand.
        run: the command that records them anew, told where they cannot be used.
    """
    if not file.exists():
        return None
    try:
        data = json.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        problem = f"{file.name}{line}: not valid JSON; record it anew: run `{run}`"
        raise AssignmentError(str(file), (problem,)) from error
    seal = data.pop(SEAL, None) if isinstance(data, dict) else None
    wrong = record_problems(Baselines, data)
    if wrong:
        lines = tuple(_baseline_line(file, problem, run) for problem in wrong)
        raise AssignmentError(str(file), lines)
    baselines = Baselines.parse(data)
    if seal != seal_of(baselines):
        problem = (
            f"{file.name}: the results are not as `grader baseline` wrote them; record them anew: "
            f"run `{run}`"
        )
        raise AssignmentError(str(file), (problem,))
    return baselines


def _baseline_line(file: Path, problem: Problem, run: str) -> str:
    key = f"{path_text(problem.path)}: " if problem.path else ""
    return f"{file.name}: {key}{problem.text}; record it anew: run `{run}`"


def _digest(
    assignment: Assignment,
    baselines: Baselines | None,
    secret_seeds: Mapping[str, tuple[int, ...]] | None = None,
) -> str:
    said: dict[str, Any] = {
        "assignment": assignment.plain(),
        "order": assignment.check_ids(),
        "baselines": baselines.plain() if baselines is not None else None,
    }
    if secret_seeds is not None:
        said["secret_seeds"] = dict(secret_seeds)
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
