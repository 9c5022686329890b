"""Films of the worst and the best episode, with what the agent's network says of each moment.

The pictures are made from receipts on the trusted side. The values are a claim of the student's
process, and shown as one: they are asked for after everything that is judged, they decide no mark,
and nothing that goes wrong with them may cost one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.episodes.film_sheet import with_values
from grader.episodes.filming import Filmed, NoFilm, film_episode
from grader.episodes.lock_step import GROUP
from grader.probes.agent_episodes import reload
from grader.probes.agent_players import FIRST_ENTROPY, Cast, Game, Player
from grader.probes.context import ProbeContext
from grader.records.agent_evidence import Episode, PlayedBy
from grader.records.films import Film
from grader.records.messages import Forward, InvokeMany, ModelFacts, Resolve
from grader.records.wire import WireError
from grader.sandbox.incident import WorkerIncident
from grader.sandbox.worker import Worker

_METHOD: Final = "q_values"
"""Method of an agent that answers the values of all actions on one observation."""
_STAGE: Final = "asking the agent for the values of its actions"
_BATCH: Final = 32
"""Observations that a network is shown at once: of screens, more would take much memory."""
_DIGITS: Final = 4
"""Digits of a value; the last ones of a float depend on the machine."""
_AGREEING: Final = 0.5
"""Share of the moments in which the largest value is that of the action taken, from which values
are shown. Below it, the network was not shown what the agent shows it."""

_TELLING: Final = (b"keras", b"tensorflow", _METHOD.encode())
"""Words without one of which a submission has no network."""

Values = list[tuple[float, ...]]


def worst_and_best(episodes: Sequence[Episode]) -> tuple[tuple[int, str], ...]:
    """Which episodes are filmed, and under which titles: none twice, of equals the first.

    Args:
        episodes: receipts, in the order of their seeds.

    Returns:
        Index and title. Titles name an episode by its number: its seed may be secret.
    """
    returns = [episode.episode_return for episode in episodes]
    count = len(returns)
    if count == 0:
        return ()
    worst, best = returns.index(min(returns)), returns.index(max(returns))
    if count == 1:
        return ((0, "The episode"),)
    if worst == best:
        return ((best, f"The first of {count} episodes, all with the same return"),)
    return (
        (worst, f"The worst of {count} episodes: episode {worst + 1}"),
        (best, f"The best of {count} episodes: episode {best + 1}"),
    )


def agent_films(
    context: ProbeContext, cast: Cast, game: Game, episodes: Sequence[Episode]
) -> tuple[Film, ...]:
    """Films of the worst and the best episode; none where there is nothing to be seen.

    Args:
        context: the part.
        cast: who played.
        game: what it was told.
        episodes: receipts, in the order of their seeds.

    Raises:
        GraderFault: no worker can be started; the operator must act.
    """
    filmed: list[tuple[int, Filmed]] = []
    for index, title in worst_and_best(episodes):
        with contextlib.suppress(NoFilm):
            filmed.append((index, film_episode(context.settings.played(), episodes[index], title)))
    films = {index: each.film for index, each in filmed}
    if any(film.actions for film in films.values()) and _has_network(context, cast):
        # A limit that is hit in here is none that the student can do anything about.
        with (
            context.worker(FIRST_ENTROPY) as worker,
            context.usage.free(worker),
            contextlib.suppress(WorkerIncident, WireError),
        ):
            reload(context, worker)
            player = Player(context, worker, cast, game, FIRST_ENTROPY)
            for index, each in filmed:
                # Made as for the episode: an agent that draws its weights has the same again.
                begins = index - index % GROUP if cast.in_step else index
                player.begin(context.seeds[begins])
                films[index] = _valued(worker, cast, each)
    return tuple(films.values())


def _has_network(context: ProbeContext, cast: Cast) -> bool:
    """Whether there may be values to ask for; a worker is not started in vain."""
    if cast.by is PlayedBy.NETWORK:
        return True
    sources = (file.content for file in context.submission.files if file.path.endswith(".py"))
    return cast.by is not PlayedBy.FUNCTION and any(
        word in source for source in sources for word in _TELLING
    )


def _valued(worker: Worker, cast: Cast, filmed: Filmed) -> Film:
    film = filmed.film
    kept = "network" if cast.by is PlayedBy.NETWORK else "agent"
    # What is seen after the last action is nothing to act on.
    seen, taken = filmed.observations[:-1], [frame.taken for frame in film.frames[:-1]]
    values = _values(worker, kept, seen, taken, len(film.actions)) if seen else None
    return film if values is None else with_values(film, [*values, None])


def _values(
    worker: Worker, kept: str, seen: Sequence[Any], taken: Sequence[int | None], actions: int
) -> Values | None:
    """The values of all actions on every observation; None where they are not known.

    Raises:
        WorkerIncident: the student's code failed, or its process gave no answer.
    """
    asked = Resolve(role=_METHOD, what="method", names=(_METHOD,), owner=kept)
    found = worker.ask(asked, _STAGE)
    if isinstance(found, dict) and found.get("name") == _METHOD:
        calls = InvokeMany(target=kept, method=_METHOD, argument="observation", values=tuple(seen))
        return _checked(worker.ask(calls, _STAGE), len(seen), actions)
    batches = _batches(seen)
    if batches is None:
        return None
    told = worker.ask(ModelFacts(target=kept), _STAGE)
    if not isinstance(told, dict) or told.get("is_model") is not True:
        return None
    answer = worker.ask(Forward(target=kept, batches=batches), _STAGE)
    values = _checked(_rows(answer), len(seen), actions)
    return values if values is not None and _acts_on_them(values, taken) else None


def _rows(answer: object) -> list[Any]:
    """The rows of all batches; nothing for an answer of another form."""
    rows: list[Any] = []
    for outputs in answer if isinstance(answer, list) else []:
        match outputs:
            case [np.ndarray(ndim=2) as output]:
                rows.extend(output)
            case _:
                return []
    return rows


def _batches(seen: Sequence[Any]) -> tuple[npt.NDArray[Any], ...] | None:
    """The observations as a network takes them; None where they are no arrays of one shape."""
    arrays = [np.asarray(each) for each in seen if isinstance(each, np.ndarray | np.generic | int)]
    alike = {(array.shape, array.dtype) for array in arrays}
    if len(arrays) != len(seen) or len(alike) != 1:
        return None
    return tuple(
        np.stack(arrays[start : start + _BATCH]) for start in range(0, len(arrays), _BATCH)
    )


def _checked(answer: object, count: int, actions: int) -> Values | None:
    """What came out of a student's process, as numbers; None where it is anything else."""
    if not isinstance(answer, list) or len(answer) != count:
        return None
    values: Values = []
    for row in answer:
        if not isinstance(row, np.ndarray | list | tuple):
            return None
        try:
            numbers = np.asarray(row)
        except ValueError:
            return None
        if numbers.size != actions or numbers.dtype.kind not in "iuf":
            return None
        floats = numbers.astype(np.float64).reshape(-1)
        if not np.isfinite(floats).all():
            return None
        values.append(tuple(float(f"{value:.{_DIGITS}g}") for value in floats.tolist()))
    return values


def _acts_on_them(values: Values, taken: Sequence[int | None]) -> bool:
    agreeing = sum(
        place is not None and row[place] == max(row)
        for row, place in zip(values, taken, strict=True)
    )
    return agreeing >= _AGREEING * len(values)
