"""Plays a receipt again: no student code is needed, and nothing may come out otherwise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from grader.episodes.actions import restored
from grader.episodes.lanes import Beat
from grader.episodes.rollout import Game, sum_of
from grader.records.agent_evidence import Episode
from grader.records.environments import PlayedEnvironment
from grader.records.receipts import Receipt


@dataclass(frozen=True)
class Replayed:
    """What came of playing a receipt again."""

    episode_return: float
    steps: int
    """Steps that were played; fewer than the receipt has where the episode ended earlier."""
    terminated: bool
    truncated: bool
    difference: int | None = None
    """First step that came out otherwise; None where everything was the same. The number of steps
    where the return alone differs."""
    expected: str = ""
    """What the receipt says there."""
    received: str = ""
    """What happened."""

    @property
    def same(self) -> bool:
        """Whether every reward, the return and the ending are those of the receipt."""
        return self.difference is None


def replay(settings: PlayedEnvironment, episode: Episode, beat: Beat | None = None) -> Replayed:
    """Plays the actions of an episode again.

    Args:
        settings: which environment.
        episode: the receipt.
        beat: told of each call of the environment.

    Raises:
        GraderFault: the environment cannot be made, or failed; the operator must act.
    """
    difference: int | None = None
    told = ("", "")
    last = len(episode.actions) - 1
    with Game(settings, episode.seed, beat) as game:
        for step, action in enumerate(episode.actions):
            expected = _outcome(
                episode.rewards[step] if step < len(episode.rewards) else None,
                terminated=step == last and episode.terminated,
                truncated=step == last and episode.truncated,
            )
            received = "the episode was over before"
            if not game.over:
                try:
                    restoring = restored(game.env.action_space, action)
                    if not game.env.action_space.contains(restoring):
                        raise ValueError  # noqa: TRY301  told like one that cannot be restored
                except (TypeError, ValueError, OverflowError):
                    received = "the action is not in the action space"
                    if difference is None:
                        difference, told = step, (expected, received)
                    break
                game.step(restoring)
                received = _outcome(game.rewards[-1], **_ending(game))
            if difference is None and received != expected:
                difference, told = step, (expected, received)
            if game.over:
                break
    reached = sum_of(game.rewards)
    if difference is None and len(game.actions) < len(episode.actions):
        difference = len(game.actions)
        told = (f"{len(episode.actions)} steps", f"the end after {len(game.actions)}")
    if difference is None and len(episode.rewards) > len(episode.actions):
        difference = len(episode.actions)
        told = (f"{len(episode.rewards)} rewards", f"{len(episode.actions)} steps")
    if difference is None and not _equal(reached, episode.episode_return):
        difference = len(episode.actions)
        told = (f"return {episode.episode_return!r}", f"return {reached!r}")
    return Replayed(
        reached, len(game.actions), **_ending(game),
        difference=difference, expected=told[0], received=told[1],
    )  # fmt: skip


def _ending(game: Game) -> dict[str, bool]:
    ended = game.episode()
    return {"terminated": ended.terminated, "truncated": ended.truncated}


def _outcome(reward: float | None, *, terminated: bool, truncated: bool) -> str:
    words = "no reward" if reward is None else f"reward {reward!r}"
    return f"{words}{', terminated' * terminated}{', truncated' * truncated}"


def _equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def other_versions(receipt: Receipt) -> dict[str, tuple[str, str]]:
    """Packages whose version is another one than the receipt's: then and here, by name."""
    here = {name: _installed(name) for name in receipt.versions}
    return {
        name: (then, here[name]) for name, then in receipt.versions.items() if then != here[name]
    }


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
