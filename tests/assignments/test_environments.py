"""What is wrong with an environment in an assignment is said with its line and its key."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.assignments.environments import EXTRAS, extra_of
from grader.assignments.loader import load_assignment
from grader.assignments.schema import assignment_schema
from grader.cli.main import main
from grader.errors import AssignmentError

HEAD = """\
id = "course"
title = "A course"
seeds = { public = [1], final = [2] }
[parts.agent]
title = "An agent"
kind = "agent"
file = "agent.py"
[parts.agent.checks.interface]
title = "It acts"
points = 1
[parts.agent.settings]
"""
Write = Callable[[str], Path]
Run = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(settings: str) -> Path:
        path = tmp_path / "assignment.toml"
        path.write_text(HEAD + settings, encoding="utf-8")
        return path

    return written


@dataclass
class Ended:
    """How a command ended."""

    code: Any
    stdout: str
    stderr: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command of `grader` in this process."""

    def ran(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    return ran


PONG = 'environment_id = "ALE/Pong-v5"\n'
CARTPOLE = 'environment_id = "CartPole-v1"\n'
WRONG_AS_WRITTEN = {
    'environment_id = "CartPoal-v1"': (
        "settings.environment_id", 'there is no environment "CartPoal-v1"; did you mean '
        '"CartPole-v1"?',
    ),
    'environment_id = "cartpole-v1"': ("settings.environment_id", 'did you mean "CartPole-v1"?'),
    f'{CARTPOLE}protocol = "mnih_2015"': ("settings.protocol", "CartPole-v1 is none"),
    f'{PONG}protocol = "minh_2015"': ("settings.protocol", 'did you mean "mnih_2015"?'),
    f"{PONG}protocol_settings = {{ epsilon = 0.1 }}": (
        "settings.protocol_settings", "there is no `protocol`",
    ),
    f'{PONG}protocol = "mnih_2015"\nprotocol_settings = {{ epsilom = 0.1 }}': (
        "settings.protocol_settings.epsilom", "did you mean `epsilon`",
    ),
    f'{PONG}protocol = "mnih_2015"\nprotocol_settings = {{ epsilon = 1.5 }}': (
        "settings.protocol_settings.epsilon", "received 1.5",
    ),
    f'{PONG}protocol = "mnih_2015"\nenvironment_kwargs = {{ frameskip = 2 }}': (
        "settings.environment_kwargs.frameskip", "write `protocol_settings.frame_skip`",
    ),
    f'{PONG}environment_kwargs = {{ render_mode = "human" }}': (
        "settings.environment_kwargs.render_mode", "the grader decides what is drawn",
    ),
    f"{CARTPOLE}environment_kwargs = {{ max_episode_steps = 5 }}": (
        "settings.environment_kwargs.max_episode_steps", "beside `environment_kwargs`",
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "FrameStack", stack_size = 4 }}]': (
        "settings.wrappers[0].wrapper", 'there is no wrapper "FrameStack"; did you mean '
        '"FrameStackObservation"?',
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "ClipReward" }}]': (
        "settings.wrappers[0].wrapper", 'there is no wrapper "ClipReward"',
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "FrameStackObservation", num_stack = 4 }}]': (
        "settings.wrappers[0].num_stack", "`stack_size`",
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "FrameStackObservation" }}]': (
        "settings.wrappers[0].stack_size", "this key is missing",
    ),
    f"{CARTPOLE}wrappers = [{{ stack_size = 4 }}]": (
        "settings.wrappers[0]", "the key `wrapper` is missing",
    ),
    f'{CARTPOLE}wrappers = ["FlattenObservation"]': ("settings.wrappers[0]", "received"),
    f'{PONG}wrappers = [{{ wrapper = "AtariPreprocessing", terminal_on_life_loss = true }}]': (
        "settings.wrappers[0].terminal_on_life_loss", "unknown key",
    ),
    f'{PONG}protocol = "mnih_2015"\nwrappers = [{{ wrapper = "AtariPreprocessing" }}]': (
        "settings.wrappers[0]", "the protocol puts this wrapper on already",
    ),
    f'{PONG}protocol = "mnih_2015"\n'
    'wrappers = [{ wrapper = "RandomActions", probability = 0.1 }]': (
        "settings.wrappers[0]", "`protocol_settings.epsilon` is enough",
    ),
    f'{PONG}wrappers = [{{ wrapper = "StickyAction", repeat_action_probability = 0.1, '
    "repeat_action_duration = [3, 2] }]": ("settings.wrappers[0]", "swap them"),
}  # fmt: skip


@pytest.mark.parametrize("settings", WRONG_AS_WRITTEN)
def test_what_the_file_alone_shows_is_wrong(settings: str, write: Write) -> None:
    key, text = WRONG_AS_WRITTEN[settings]
    with pytest.raises(AssignmentError) as caught:
        load_assignment(str(write(settings)))
    told = caught.value.problems
    assert any(f"parts.agent.{key}: " in line and text in line for line in told), told
    assert all(line.startswith("assignment.toml:1") for line in told), "a line below the head"


WRONG_WHEN_MADE = {
    'environment_id = "ALE/Breakot-v5"': (
        "environment_id", 'did you mean "ALE/Breakout-v5"?',
    ),
    f"{CARTPOLE}environment_kwargs = {{ sutton_barto_rewards = true }}": (
        "environment_kwargs.sutton_barto_rewards", 'did you mean "sutton_barto_reward"?',
    ),
    f"{CARTPOLE}environment_kwargs = {{ gravity = 3 }}": (
        "environment_kwargs.gravity", "It takes: sutton_barto_reward.",
    ),
    f"{PONG}environment_kwargs = {{ mode = 77 }}": (
        "environment_kwargs", "Invalid game mode requested",
    ),
    'environment_id = "VizdoomBasic-v1"\nenvironment_kwargs = { frameskip = 4 }': (
        "environment_kwargs.frameskip", "neither VizdoomBasic-v1 nor the configuration of its game",
    ),
    'environment_id = "VizdoomBasic-v1"\n'
    'wrappers = [{ wrapper = "KeyObservation", key = "scren" }]': (
        "wrappers[0]", "the keys are gamevariables, screen",
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "FlattenObservation" }}, {{ wrapper = "ClipAction" }}]': (
        "wrappers[1]", "ClipAction cannot be put on",
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "KeyObservation", key = "screen" }}]': (
        "wrappers[0]", "have no keys",
    ),
    f'{CARTPOLE}wrappers = [{{ wrapper = "ChannelsLastObservation" }}]': (
        "wrappers[0]", "three axes",
    ),
    f'{PONG}wrappers = [{{ wrapper = "AtariPreprocessing" }}]': (
        "wrappers[0]", "`environment_kwargs = { frameskip = 1 }`",
    ),
    f'{PONG}wrappers = [{{ wrapper = "RescaleObservation", min_obs = 0.0, max_obs = 1.0 }}]': (
        "wrappers[0]", "put DtypeObservation",
    ),
    'environment_id = "no_such_module:Game-v0"': ("environment_id", "no_such_module"),
}  # fmt: skip


@pytest.mark.parametrize("settings", WRONG_WHEN_MADE)
def test_what_shows_when_the_environment_is_made_is_told_too(
    settings: str, write: Write, run: Run
) -> None:
    key, text = WRONG_WHEN_MADE[settings]
    path = write(settings)
    load_assignment(str(path))
    done = run("spec", "validate", path)
    assert done.code == 2
    assert f"parts.agent.settings.{key}: " in done.stderr
    assert text in done.stderr
    assert "assignment.toml:1" in done.stderr


@pytest.mark.parametrize(
    ("environment_id", "name", "module"),
    [
        ("ALE/Breakout-v5", "atari", "ale_py"),
        ("BreakoutNoFrameskip-v4", "atari", "cv2"),
        ("VizdoomBasic-v1", "doom", "vizdoom"),
        ("MinAtar/Breakout-v1", "minatar", "minatar"),
    ],
)
@pytest.mark.parametrize("command", ["grade", "check", "spec validate", "baseline"])
def test_without_the_extra_nothing_is_run_and_the_command_that_installs_it_is_named(
    environment_id: str,
    name: str,
    module: str,
    command: str,
    write: Write,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = write(f'environment_id = "{environment_id}"')
    monkeypatch.setitem(sys.modules, module, None)
    folder = tmp_path / "alice"
    folder.mkdir()
    (folder / "agent.py").write_text("class DQNAgent: pass\n")
    arguments: dict[str, tuple[object, ...]] = {
        "grade": (folder, "--assignment", path, "--out", tmp_path / "out"),
        "check": (folder, "--assignment", path),
        "spec validate": (path,),
        "baseline": (path, "--reference", folder),
    }
    done = run(*command.split(), *arguments[command])
    assert done.code == 2
    assert f'pip install "grader[{name}]"' in done.stderr
    assert f"parts.agent.settings.environment_id: {environment_id} needs the extra" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_names_of_extras_are_those_of_the_package() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert {extra.name for extra in EXTRAS} <= set(project["optional-dependencies"])
    assert extra_of("CartPole-v1") is None


def test_a_right_environment_is_valid(write: Write, run: Run) -> None:
    path = write(
        f'{PONG}protocol = "machado_2018"\nprotocol_settings = {{ frame_skip = 4 }}\n'
        'wrappers = [{ wrapper = "DtypeObservation", dtype = "float32" }]'
    )
    done = run("spec", "validate", path)
    assert done.code == 0, done.stderr
    assert "valid." in done.stdout


def test_editors_are_told_the_wrappers() -> None:
    text = str(assignment_schema())
    assert "FrameStackObservation" in text
    assert "machado_2018" in text
