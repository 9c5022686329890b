"""What is wrong with the environment of a part, as far as its settings tell without making it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import gymnasium

from grader.assignments.problems import Problem, not_one_of
from grader.records.environments import contradictions


@dataclass(frozen=True)
class Extra:
    """An optional part of the installation that brings environments."""

    name: str
    """As in `pip install "grader[name]"`."""
    ids: re.Pattern[str]
    """Beginning of the ids it brings."""
    modules: tuple[str, ...]
    """What it installs; the first registers the environments."""

    def is_installed(self) -> bool:
        """Whether all its modules are there; imports none of them."""
        return all(importlib.util.find_spec(module) is not None for module in self.modules)

    def command(self) -> str:
        """The command that installs it."""
        return f'pip install "grader[{self.name}]"'


EXTRAS: Final = (
    Extra("atari", re.compile(r"ALE/|\w+NoFrameskip-v\d"), ("ale_py", "cv2")),
    Extra("doom", re.compile(r"Vizdoom"), ("vizdoom", "cv2")),
    Extra("minatar", re.compile(r"MinAtar/"), ("minatar",)),
)


def extra_of(environment_id: str) -> Extra | None:
    """The extra that brings an environment; None where Gymnasium has it itself."""
    return next((extra for extra in EXTRAS if extra.ids.match(environment_id)), None)


def unknown_environment(environment_id: str) -> str:
    """What to tell the author of an assignment about an id that is not registered."""
    return not_one_of("there is no environment", environment_id, gymnasium.registry)


def setting_problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of a `PlayedEnvironment` beyond the form of its fields.

    Environments of extras and of other modules are not looked up: that imports them.

    Args:
        settings: as they stand in the file.

    Yields:
        Problems with key paths that begin below `settings`.
    """
    for path, text in contradictions(settings):
        yield Problem(path, text)
    name = settings.get("environment_id")
    if not isinstance(name, str) or not name or ":" in name or extra_of(name) is not None:
        return
    if name not in gymnasium.registry:
        yield Problem(("environment_id",), unknown_environment(name))
