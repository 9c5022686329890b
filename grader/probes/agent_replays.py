"""Shows episodes to a second agent in another process: does it act as the first one did?

The second agent is shown what the first one saw, last episode first and all in one process, so that
what a file keeps outside its agents shows. An agent that acts on batches is shown one episode in
all rows of the batch, which keeps the batch as high as it was: an answer that differs then depended
on the other rows, and not on how products of another height round.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import gymnasium

from grader.episodes.actions import InvalidAction, recorded, to_action
from grader.episodes.environments import environment
from grader.episodes.lanes import Beat, side_by_side
from grader.episodes.lock_step import GROUP, WrongRows, rows_of, stacked
from grader.episodes.rollout import show_again
from grader.probes.agent_episodes import reload
from grader.probes.agent_players import SECOND_ENTROPY, Cast, Game, Player, stopped_by
from grader.probes.context import ProbeContext
from grader.records.agent_evidence import Episode, PlayedBy, ReplayTrial, ReplayWay
from grader.records.wire import describe
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_ROUNDING_SHARE: Final = 0.01
"""Share of actions that may differ between a batch and one observation: products of different
heights round differently, and where two actions are worth the same, that decides."""


@dataclass
class _Comparison:
    """Answers to the observations of one episode, compared with its actions.

    Compared is what the environment would get, so that `1`, `numpy.int64(1)` and `array([1])` are
    the same action.
    """

    space: gymnasium.Space[Any]
    episode: Episode
    answer: Callable[[Any, int], object]
    to_the_end: bool
    """Whether to go on after a difference."""
    differences: list[tuple[int, object]] = field(default_factory=list)
    """Steps, and what was answered there."""

    def show(self, observation: Any, step: int) -> bool:
        """Compares one answer; whether to go on."""
        answer = self.answer(observation, step)
        # An answer outside the space is never the same: the first one was in it.
        again: object = answer
        with contextlib.suppress(InvalidAction):
            again = recorded(to_action(self.space, answer))
            if again == self.episode.actions[step]:
                return True
        self.differences.append((step, again))
        return self.to_the_end


def replays(
    context: ProbeContext, cast: Cast, game: Game, episodes: list[Episode]
) -> list[ReplayTrial]:
    """Shows the first episodes that have actions to a second agent.

    Args:
        context: the part.
        cast: who played.
        game: what it was told.
        episodes: all that was played.

    Raises:
        GraderFault: the environment is not reproducible, or failed; the instructor must act.
    """
    shown = [number for number, each in enumerate(episodes) if each.actions]
    shown = shown[: context.settings.replayed_episodes]
    if not shown:
        return []
    trials: list[ReplayTrial] = []

    def compare_all(beat: Beat) -> None:
        with (
            context.worker(SECOND_ENTROPY) as worker,
            environment(context.settings.played()) as env,
        ):
            again = _Again(context, cast, game, worker, env.action_space, beat)
            try:
                with context.usage.free(worker):
                    reload(context, worker)
            except WorkerIncident as error:
                seed = episodes[shown[0]].seed
                trials.append(ReplayTrial(seed=seed, compared=0, incident=error.incident))
                return
            found = [again.show(episodes, number) for number in reversed(shown)]
            trials.extend(reversed(found))
            if cast.by is PlayedBy.BATCH:
                trials.append(again.show_one_by_one(episodes[shown[0]]))

    side_by_side([compare_all])
    return trials


@dataclass(frozen=True)
class _Again:
    """The second agent and what it needs."""

    context: ProbeContext
    cast: Cast
    game: Game
    worker: Worker
    space: gymnasium.Space[Any]
    beat: Beat

    def _player(self, cast: Cast) -> Player:
        return Player(self.context, self.worker, cast, self.game, SECOND_ENTROPY)

    def show(self, episodes: list[Episode], number: int) -> ReplayTrial:
        """Shows an episode as it was played; to an agent for batches in all rows."""
        player = self._player(self.cast)
        episode = episodes[number]
        if not self.cast.in_step:
            return self._compared(player, episode.seed, episode, player.act, ReplayWay.SAME)
        begins = number - number % GROUP
        rows = len(self.context.seeds[begins : begins + GROUP])

        def answer(observation: Any, step: int) -> object:
            batch = stacked([observation] * rows)
            return rows_of(player.act_batch(batch, step, rows), rows)[number - begins]

        first_seed = self.context.seeds[begins]
        return self._compared(player, first_seed, episode, answer, ReplayWay.ALONE)

    def show_one_by_one(self, episode: Episode) -> ReplayTrial:
        """Shows an episode that was played in a batch to an agent that acts on one observation."""
        player = self._player(replace(self.cast, by=PlayedBy.AGENT))
        return self._compared(player, episode.seed, episode, player.act, ReplayWay.ONE_BY_ONE)

    def _compared(
        self,
        player: Player,
        begins_with: int,
        episode: Episode,
        answer: Callable[[Any, int], object],
        way: ReplayWay,
    ) -> ReplayTrial:
        compared = len(episode.actions)
        comparison = _Comparison(
            self.space, episode, answer, to_the_end=way is ReplayWay.ONE_BY_ONE
        )
        trial = ReplayTrial(seed=episode.seed, compared=compared, way=way)
        try:
            player.begin(begins_with)
            show_again(self.context.settings, episode, comparison.show, self.beat)
        except (WorkerIncident, WrongRows) as error:
            return trial.model_copy(update={"incident": stopped_by(error)})
        allowed = _ROUNDING_SHARE * compared if way is ReplayWay.ONE_BY_ONE else 0
        if len(comparison.differences) <= max(allowed, way is ReplayWay.ONE_BY_ONE):
            return trial
        step, again = comparison.differences[0]
        return trial.model_copy(
            update={
                "difference": step,
                "first_action": describe(episode.actions[step]),
                "second_action": describe(again),
            }
        )
