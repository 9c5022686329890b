"""The checks of an `environment` part."""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import CheckKind, JudgeInput, NoSettings
from grader.checks.environment_exhibits import exhibits
from grader.checks.environment_games import (
    PlayableSettings,
    judge_episodes,
    judge_playable,
    judge_render,
)
from grader.checks.environment_judges import (
    judge_conformance,
    judge_deterministic,
    judge_interface,
)
from grader.records.result import Verdict


def _conformance(given: JudgeInput) -> Verdict:
    return _shown(judge_conformance(given), given, "conformance")


def _episodes(given: JudgeInput) -> Verdict:
    return _shown(judge_episodes(given), given, "episodes")


def _render(given: JudgeInput) -> Verdict:
    return _shown(judge_render(given), given, "render")


def _shown(verdict: Verdict, given: JudgeInput, check: str) -> Verdict:
    """A verdict with what was played and drawn, where this check is the one to show it."""
    return verdict.model_copy(update={"exhibits": exhibits(given, check)})


CHECKS: Final = (
    CheckKind(
        id="environment.interface", settings=NoSettings, judge=judge_interface,
        description="The environment can be made, reset and stepped.",
    ),
    CheckKind(
        id="environment.conformance", settings=NoSettings, judge=_conformance,
        description="It keeps to Gymnasium's API; each broken rule costs by how much it breaks.",
    ),
    CheckKind(
        id="environment.deterministic", settings=NoSettings, judge=judge_deterministic,
        description="The same seed and actions give the same game, in one process and in two.",
    ),
    CheckKind(
        id="environment.render", settings=NoSettings, judge=_render,
        description="It can be drawn: as pictures or as text, in the form that Gymnasium asks for.",
    ),
    CheckKind(
        id="environment.episodes", settings=NoSettings, judge=_episodes,
        description="A random agent's episodes end, last more than a step, and earn rewards that "
        "differ.",
    ),
    CheckKind(
        id="environment.playable", settings=PlayableSettings, judge=judge_playable,
        description="What the player does decides what happens and what it earns.",
    ),
)  # fmt: skip
