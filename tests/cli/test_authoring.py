from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from grader.assignments.loader import builtin_ids
from grader.cli.main import cli


def test_the_built_in_assignments_are_listed_with_their_titles() -> None:
    done = CliRunner().invoke(cli, ["spec", "list"])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert [line.split()[0] for line in lines] == list(builtin_ids())
    assert "The Deep Q-Network of 2013" in done.output


def test_a_copy_of_a_built_in_assignment_is_valid(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["spec", "new", str(tmp_path), "--like", "image_cnn"])
    assert done.exit_code == 0
    checked = CliRunner().invoke(cli, ["spec", "validate", str(tmp_path)])
    assert checked.exit_code == 0
    assert "valid. image_cnn: 1 part(s), 3 check(s), 20 points." in checked.output
