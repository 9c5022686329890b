"""Plays several episodes at once: each step asks for the actions of all of them.

The batch has one row for each episode, from the first step to the last. An episode that has ended
keeps its row and its last observation, and what is answered for it is dropped. So the shape never
changes, and the numbers in a row do not depend on when other episodes end: matrix products of
different heights round differently, and where two actions are worth the same, that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final

import numpy as np

from grader.episodes.lanes import Beat
from grader.episodes.rollout import Game
from grader.errors import GraderFault
from grader.records.agent_evidence import Episode
from grader.records.environments import PlayedEnvironment
from grader.records.incident import Incident

GROUP: Final = 32
"""Most episodes that are played at once; also the most rows that Keras predicts in one batch."""


class WrongRows(ValueError):
    """An answer has not one action for each row; the agent's author must act."""


def groups(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """Seeds of the episodes that are played together."""
    return [tuple(seeds[at : at + GROUP]) for at in range(0, len(seeds), GROUP)]


def play_in_step(
    settings: PlayedEnvironment,
    seeds: Sequence[int],
    act_batch: Callable[[Any, int, int], object],
    stopped_by: Callable[[BaseException], Incident | None] = lambda _: None,
    beat: Beat | None = None,
) -> list[Episode]:
    """Plays one episode for each seed, all at once.

    Args:
        settings: which environment.
        seeds: seeds of the environments; the agent never sees them.
        act_batch: called with the observations (stacked on a new first axis), the step number and
            the number of episodes that still run; answers one action for each row.
        stopped_by: given an exception out of `act_batch`, the incident that ends the episodes
            that still run, or None to let the exception pass.
        beat: told of each call of an environment.

    Returns:
        The receipts, in the order of the seeds.

    Raises:
        GraderFault: the environment failed, or its observations cannot be stacked; the instructor
            must act.
    """
    with ExitStack() as opened:
        games = [opened.enter_context(Game(settings, seed, beat)) for seed in seeds]
        step = 0
        while running := [(row, game) for row, game in enumerate(games) if not game.over]:
            seen = stacked([game.observation for game in games])
            try:
                answers = rows_of(act_batch(seen, step, len(running)), len(games))
            except Exception as error:
                incident = stopped_by(error)
                if incident is None:
                    raise
                for _, game in running:
                    game.interrupt(incident)
                break
            for row, game in running:
                game.take(answers[row])
            step += 1
    return [game.episode() for game in games]


def stacked(observations: Sequence[Any]) -> Any:
    """Observations as one, with a new first axis; inside dicts and tuples as well.

    Raises:
        GraderFault: they have different shapes; the instructor must act.
    """
    first = observations[0]
    if isinstance(first, dict):
        return {key: stacked([each[key] for each in observations]) for key in first}
    if isinstance(first, tuple):
        return tuple(stacked(column) for column in zip(*observations, strict=True))
    try:
        return np.stack([np.asarray(each) for each in observations])
    except (TypeError, ValueError) as error:
        raise GraderFault(f"observations cannot be shown in one batch: {error}") from error


def rows_of(answer: object, count: int) -> list[Any]:
    """One action for each row of a batch, out of an array, a list, or a dict of these.

    Raises:
        WrongRows: there is not one for each.
    """
    if isinstance(answer, dict):
        columns = {key: rows_of(value, count) for key, value in answer.items()}
        return [{key: column[row] for key, column in columns.items()} for row in range(count)]
    # `np.ndim` of a list makes an array of it, which rows of different shapes do not allow.
    if not isinstance(answer, np.ndarray | list | tuple) or (
        isinstance(answer, np.ndarray) and answer.ndim == 0
    ):
        raise WrongRows(f"{count} observations were shown, and one value came back")
    if len(answer) != count:
        raise WrongRows(f"{count} observations were shown, and {len(answer)} actions came back")
    return list(answer)
