"""Plays all episodes of a part, each in a process of its own or all of them in lock-step.

An episode's result depends on the submission and its seed alone. Its environment is fresh, its
agent is fresh, and so is the process that the agent lives in, so that nothing that an episode
leaves behind, in a module or a library, reaches another one; in which order, beside which others
and on how many jobs they are played then makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from grader.episodes.lanes import Beat, Task, side_by_side
from grader.episodes.lock_step import GROUP, play_in_step
from grader.episodes.rollout import play
from grader.probes.agent_players import FIRST_ENTROPY, Cast, Game, Player, stopped_by
from grader.probes.context import EpisodeTiming, ProbeContext, load_again
from grader.records.agent_evidence import Episode, PlayedBy
from grader.records.incident import Incident, IncidentKind
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

ENDS_ALL: Final = frozenset(
    {IncidentKind.LIMIT, IncidentKind.EXITED, IncidentKind.PROTOCOL, IncidentKind.FAULT}
)
"""What ends the worker; no later episode is then played."""


@dataclass
class Table:
    """What came of all episodes."""

    episodes: list[Episode] = field(default_factory=list)
    construction: Incident | None = None
    """Why not even the first agent could be made."""
    declined: Incident | None = None
    """Why the method for batches was not used."""
    cast: Cast = Cast(PlayedBy.AGENT)  # noqa: RUF009  frozen
    """Who played in the end."""


@dataclass
class _Round:
    """What came of the episodes that one process played."""

    episodes: list[Episode]
    construction: Incident | None = None
    declined: Incident | None = None

    def is_last(self) -> bool:
        """Whether nothing is to be played after it."""
        if self.construction is not None or self.declined is not None:
            return True
        ends = [episode.incident for episode in self.episodes if episode.incident is not None]
        return any(incident.kind in ENDS_ALL for incident in ends)


@dataclass(frozen=True)
class _Process:
    """The episodes that one process is to play."""

    context: ProbeContext
    cast: Cast
    game: Game
    first: int
    """Number of its first episode, from 0."""
    seeds: tuple[int, ...]
    loaded: Worker | None = None
    """A worker that has loaded the file; a new one when there is none."""

    def __call__(self, beat: Beat) -> _Round:
        """Plays them."""
        if self.loaded is not None:
            try:
                return self._played(self.loaded, beat)
            finally:
                self.loaded.close()
        with self.context.worker(FIRST_ENTROPY) as worker:
            # That the file is loaded more than once is no doing of the student's.
            with self.context.usage.free(worker):
                try:
                    reload(self.context, worker)
                except WorkerIncident as error:
                    return _Round([_unplayed(self.seeds[0], error.incident)])
            return self._played(worker, beat)

    def _played(self, worker: Worker, beat: Beat) -> _Round:
        player = Player(self.context, worker, self.cast, self.game, FIRST_ENTROPY)
        if self.cast.in_step:
            return self._in_step(player, beat)
        episodes: list[Episode] = []
        for number, seed in enumerate(self.seeds, start=self.first):
            try:
                player.begin(seed)
            except WorkerIncident as error:
                if number == 0:
                    return _Round([], construction=error.incident)
                episodes.append(_unplayed(seed, error.incident))
            else:
                played = play(
                    self.context.settings, seed, player.act, stopped_by, beat,
                    keep_observations=False,
                )  # fmt: skip
                episodes.append(played.episode)
            cpu_s, steps_us = player.spent()
            self.context.usage.episodes.append(
                EpisodeTiming(n=number + 1, cpu_s=round(cpu_s, 4), steps_us=steps_us)
            )
            if _Round(episodes).is_last():
                break
        return _Round(episodes)

    def _in_step(self, player: Player, beat: Beat) -> _Round:
        try:
            player.begin(self.seeds[0])
        except WorkerIncident as error:
            if self.first == 0:
                return _Round([], construction=error.incident)
            return _Round([_unplayed(seed, error.incident) for seed in self.seeds])
        episodes = play_in_step(
            self.context.settings, self.seeds, player.act_batch, stopped_by, beat
        )
        first = episodes[0]
        # One that cannot act on a batch at all may still act on one observation.
        if self.cast.by is PlayedBy.BATCH and first.incident is not None and not first.actions:
            return _Round([], declined=first.incident)
        self._share_out(player, episodes)
        return _Round(episodes)

    def _share_out(self, player: Player, episodes: Sequence[Episode]) -> None:
        cpu_s, steps_us = player.spent()
        lengths = [len(episode.actions) for episode in episodes]
        for number, length in enumerate(lengths):
            share = length / max(1, sum(lengths))
            self.context.usage.episodes.append(
                EpisodeTiming(
                    n=self.first + number + 1,
                    cpu_s=round(cpu_s * share, 4),
                    steps_us=steps_us[:length],
                )
            )


def reload(context: ProbeContext, worker: Worker) -> None:
    """Loads the part's file into a further worker; a saved model needs no loading.

    Raises:
        WorkerIncident: this time it did not load.
    """
    if has_code(context):
        load_again(context, worker)


def has_code(context: ProbeContext) -> bool:
    """Whether there is code to import; a part may ask for a saved model alone."""
    return bool(context.part.file != context.settings.model_file)


def _unplayed(seed: int, incident: Incident) -> Episode:
    return Episode(seed=seed, actions=(), rewards=(), episode_return=0.0, incident=incident)


def play_episodes(context: ProbeContext, cast: Cast, game: Game, worker: Worker) -> Table:
    """Plays all seeds of a part.

    Args:
        context: the part.
        cast: who plays.
        game: what it is told.
        worker: has loaded the file; plays the first episodes and is then closed.

    Raises:
        GraderFault: the environment or a worker failed; the operator must act.
    """
    rounds = _all_rounds(context, cast, game, worker)
    if rounds and (declined := rounds[0].declined) is not None:
        cast = replace(cast, by=PlayedBy.AGENT)
        table = _collected(_all_rounds(context, cast, game, None), cast)
        return replace(table, declined=declined)
    return _collected(rounds, cast)


def _collected(rounds: list[_Round], cast: Cast) -> Table:
    table = Table(cast=cast)
    for each in rounds:
        table.construction = table.construction or each.construction
        table.episodes += each.episodes
    return table


def _all_rounds(
    context: ProbeContext, cast: Cast, game: Game, worker: Worker | None
) -> list[_Round]:
    size = GROUP if cast.in_step else context.settings.episodes_per_process
    tasks: list[Task[_Round]] = [
        _Process(
            context, cast, game, first, tuple(context.seeds[first : first + size]),
            worker if first == 0 else None,
        )
        for first in range(0, len(context.seeds), size)
    ]  # fmt: skip
    context.usage.episodes.clear()
    return side_by_side(tasks, is_last=_Round.is_last, spare=context.spare)
