"""What is shown of an environment: the episodes that random play had, a picture, and a film."""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import JudgeInput
from grader.checks.environment_judges import has_check
from grader.records.environment_evidence import EnvironmentEpisode, EnvironmentEvidence
from grader.records.environment_exhibits import Ending, PlayedEpisode, PlayedEpisodes
from grader.records.films import Film

_EPISODES_SHOWN: Final = 50


def exhibits(given: JudgeInput, check: str) -> tuple[PlayedEpisodes | Film, ...]:
    """What the report shows with one of the checks.

    Episodes stand with `environment.episodes`, pictures with `environment.render`; where the
    assignment lacks one of these, with the other, and otherwise with `environment.conformance`.

    Args:
        given: what the judge of that check looked at.
        check: its name.
    """
    evidence: EnvironmentEvidence = given.evidence
    shown: list[PlayedEpisodes | Film] = []
    if evidence.episodes and check == _first(given, "episodes", "render"):
        shown.append(_table(evidence))
    if evidence.film is not None and check == _first(given, "render", "episodes"):
        shown.append(evidence.film)
    return tuple(shown)


def _first(given: JudgeInput, *names: str) -> str:
    return next((name for name in names if has_check(given, name)), "conformance")


def _table(evidence: EnvironmentEvidence) -> PlayedEpisodes:
    return PlayedEpisodes(
        episodes=tuple(map(_row, evidence.episodes[:_EPISODES_SHOWN])),
        left_out=max(0, len(evidence.episodes) - _EPISODES_SHOWN),
        observation_space=evidence.observation_space,
        action_space=evidence.action_space,
        picture_text=evidence.picture_text,
    )


def _row(episode: EnvironmentEpisode) -> PlayedEpisode:
    both = episode.terminated and episode.truncated
    ending: Ending = (
        "terminated and truncated" if both
        else "terminated" if episode.terminated
        else "truncated" if episode.truncated
        else "did not end"
    )  # fmt: skip
    return PlayedEpisode(
        seed=episode.seed, steps=episode.steps, episode_return=episode.episode_return,
        ending=ending,
    )  # fmt: skip
