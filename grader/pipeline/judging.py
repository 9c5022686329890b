"""Judge: saved evidence in, report out. Runs nothing, so a fixed rubric can be applied again."""

from __future__ import annotations

from grader.assignments.loader import LoadedAssignment
from grader.assignments.registry import JudgeInput, check_kind, probe_kind, settings_of
from grader.checks.advice.notes import load_findings, with_source_notes
from grader.checks.incidents import incident_finding
from grader.pipeline.secrecy import without_seeds
from grader.records.evidence import Evidence, PartEvidence
from grader.records.incident import Incident, IncidentKind
from grader.records.report import GradeReport
from grader.records.result import Outcome, Verdict
from grader.records.spec import Baselines, Isolation
from grader.records.text import clean_line
from grader.scoring.report import build_report
from grader.scoring.results import results_of, selected_checks


def judge(
    evidence: Evidence,
    loaded: LoadedAssignment,
    *,
    public_only: bool = False,
) -> GradeReport:
    """The report that follows from evidence.

    Args:
        evidence: what was seen when the submission ran.
        loaded: the assignment; may differ in points and settings from the one that was run.
        public_only: judge only what students can run themselves.
    """
    by_part = {part.part: part for part in evidence.parts}
    references = loaded.baselines if evidence.secret_seeds is None else evidence.references
    selected = selected_checks(loaded.assignment, public_only=public_only)

    def verdict(part_id: str, name: str) -> Verdict:
        first = next(check for check in selected if check.startswith(f"{part_id}."))
        said = _verdict(
            loaded, references, part_id, name, by_part[part_id],
            is_first=first == f"{part_id}.{name}",
        )  # fmt: skip
        secret = evidence.secret_seeds
        return said if secret is None else without_seeds(said, secret.get(part_id, ()))

    unloaded = frozenset(part.part for part in evidence.parts if part.load is not None)
    results = results_of(loaded.assignment, selected, verdict, unloaded)
    return build_report(
        loaded.assignment,
        loaded.digest,
        evidence.submission,
        results,
        seeds=evidence.seeds,
        isolation=_weakest(evidence),
    )


def _verdict(
    loaded: LoadedAssignment,
    references: Baselines | None,
    part_id: str,
    name: str,
    evidence: PartEvidence,
    *,
    is_first: bool,
) -> Verdict:
    if evidence.load is not None:
        # Nothing of the part could be judged: every check says so, the first one says why.
        fault = evidence.load.kind is IncidentKind.FAULT
        return Verdict(
            outcome=Outcome.FAULT if fault else Outcome.INVALID,
            fraction=0.0,
            findings=load_findings(evidence) if is_first else (),
        )
    part = loaded.assignment.parts[part_id]
    check = part.checks[name]
    kind = check_kind(part.check_kind(name))
    baselines = references.parts if references is not None else {}
    given = JudgeInput(
        part_id=part_id,
        part=part,
        check=check,
        part_settings=settings_of(probe_kind(part.kind).settings, part.settings),
        settings=settings_of(kind.settings, check.settings),
        evidence=evidence,
        baseline=baselines.get(part_id),
        reference_versions=references.versions if references is not None else {},
    )
    try:
        verdict = kind.judge(given)
        return with_source_notes(verdict, evidence, check=kind.id) if is_first else verdict
    except Exception as error:  # noqa: BLE001  a mistake of ours must not become a mark
        incident = Incident(
            kind=IncidentKind.FAULT,
            stage=f"judging {part_id}.{name}",
            message=clean_line(f"{type(error).__name__}: {error}", 500),
        )
        return Verdict(outcome=Outcome.FAULT, fraction=0.0, findings=(incident_finding(incident),))


def was_run(part: PartEvidence) -> bool:
    """Whether there was anything to run; if not, no isolation was needed."""
    idle = {IncidentKind.MISSING_FILE, IncidentKind.REFUSED}
    return part.load is None or part.load.kind not in idle


def _weakest(evidence: Evidence) -> Isolation:
    """The least isolation of all parts that were run."""
    order = list(Isolation)
    found = [order.index(part.isolation) for part in evidence.parts if was_run(part)]
    return order[min(found, default=0)]
