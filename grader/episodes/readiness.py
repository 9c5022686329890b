"""Finds out before anything is run whether the environments of an assignment can be played."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
from pydantic import ValidationError

from grader.assignments import registry
from grader.assignments.problems import Problem
from grader.episodes.environments import CannotBeMade, environment
from grader.records.environments import PlayedEnvironment
from grader.records.spaces import SpaceError, space_data
from grader.records.spec import Assignment


def unplayable(assignment: Assignment) -> Iterator[Problem]:
    """Problems of environments that show only when they are made, which is done here once for each.

    Args:
        assignment: an assignment whose file has been found right.

    Yields:
        Problems with key paths of the assignment file.
    """
    for part_id, part in assignment.parts.items():
        kind = registry.probe_kind(part.kind)
        if not issubclass(kind.settings, PlayedEnvironment):
            continue
        try:
            settings: PlayedEnvironment = registry.settings_of(kind.settings, part.settings)
        except ValidationError:
            continue
        for problem in tried(settings):
            path = ("parts", part_id, "settings", *problem.path)
            yield Problem(path, problem.text)


def tried(settings: PlayedEnvironment) -> Iterator[Problem]:
    """Makes an environment and begins an episode in it.

    Yields:
        Problems with key paths that begin below the settings.
    """
    try:
        with environment(settings) as env:
            for what, space in (
                ("observations", env.observation_space),
                ("actions", env.action_space),
            ):
                text = _untold(what, space)
                if text is not None:
                    yield Problem(("environment_id",), text)
            observation, _ = env.reset(seed=0)
            if not env.observation_space.contains(observation):
                text = (
                    f"the first observation is not in the observation space "
                    f"{_shown(env.observation_space)}"
                )
                yield Problem(("wrappers",) if settings.wrappers else ("environment_id",), text)
    except CannotBeMade as error:
        yield Problem(error.where, error.reason)
    except Exception as error:  # noqa: BLE001  an environment may raise anything
        yield Problem(("environment_id",), f"no episode can be begun: {error}")


def _untold(what: str, space: gymnasium.Space[Any]) -> str | None:
    try:
        space_data(space)
    except SpaceError as error:
        return f"agents cannot be told the space of its {what}: {error}"
    return None


def _shown(space: gymnasium.Space[Any]) -> str:
    text = str(space).replace("\n", " ")
    return text if len(text) <= 200 else f"{text[:197]}..."
