"""The option --secret-file and `grader secret`, where nothing has to be run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli.main import cli
from grader.errors import UsageError

ASSIGNMENT = """\
id = "course"
title = "A course"
[seeds]
public = [1, 2]
final_episodes = 3
[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"
[parts.agent.settings]
environment_id = "CartPole-v1"
[parts.agent.checks.performance]
title = "It plays"
points = 1
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "assignment.toml").write_text(ASSIGNMENT)
    work = tmp_path / "handed_in" / "anna"
    work.mkdir(parents=True)
    (work / "agent.py").write_text("")
    return tmp_path


def grade(course: Path, *options: str | Path) -> Result:
    arguments = [
        "grade", course / "handed_in", "--assignment", course / "assignment.toml", "--out",
        course / "out", *options,
    ]  # fmt: skip
    return CliRunner().invoke(cli, [*map(str, arguments)])


def refused(done: Result) -> str:
    assert isinstance(done.exception, UsageError), done.output
    return str(done.exception)


def new_secret(course: Path) -> Path:
    file = course / "course.secret"
    done = CliRunner().invoke(cli, ["secret", "new", str(file)])
    assert done.exit_code == 0
    assert str(file) in done.output
    assert file.read_text().strip() not in done.output
    return file


def test_without_the_secret_it_needs_nothing_is_graded(course: Path) -> None:
    told = refused(grade(course))
    assert "keeps its final seeds secret: add `--secret-file FILE`" in told
    assert "grader secret new FILE" in told
    assert not (course / "out").exists()


def test_the_author_is_told_that_grading_needs_a_secret(course: Path) -> None:
    done = CliRunner().invoke(cli, ["spec", "validate", str(course / "assignment.toml")])
    assert done.exit_code == 0
    assert "Its final seeds are secret: grade with --secret-file FILE." in done.output


def test_without_reference_results_the_command_that_records_them_is_told(course: Path) -> None:
    secret = new_secret(course)
    told = refused(grade(course, "--secret-file", secret))
    assert "no reference results are recorded for agent with this secret" in told
    assert (
        f"`grader baseline {course / 'assignment.toml'} --reference FOLDER --secret-file {secret}`"
        in told
    )


def test_a_secret_that_others_can_read_is_warned_of(course: Path) -> None:
    secret = new_secret(course)
    secret.chmod(0o644)
    done = grade(course, "--secret-file", secret)
    assert f"warning: others on this machine can read {secret}; `chmod 600" in done.stderr
    secret.chmod(0o600)
    assert "warning" not in grade(course, "--secret-file", secret).stderr


@pytest.mark.parametrize("folder", ["handed_in", "out", "handed_in/anna"])
def test_a_secret_among_students_files_is_refused(folder: str, course: Path) -> None:
    place = course / folder / "course.secret"
    place.parent.mkdir(exist_ok=True)
    place.write_text("sixteen bytes or more")
    told = refused(grade(course, "--secret-file", place))
    assert "keep it elsewhere" in told


def test_a_secret_that_is_too_short_or_absent_is_refused(course: Path) -> None:
    (course / "short").write_text("short")
    assert "16 are the least" in refused(grade(course, "--secret-file", course / "short"))
    assert "cannot read the secret" in refused(grade(course, "--secret-file", course / "absent"))


def test_a_secret_is_never_written_over(course: Path) -> None:
    file = new_secret(course)
    before = file.read_bytes()
    done = CliRunner().invoke(cli, ["secret", "new", str(file)])
    assert "already there" in refused(done)
    assert file.read_bytes() == before
