"""Probe of a game-playing agent: episodes under given seeds, and the same observations again.

The environment, its seed, its rewards and its step limit live in this process; the worker gets
observations and answers actions.
"""

from __future__ import annotations

from dataclasses import replace

from grader.assignments.registry import ProbeKind, Role
from grader.episodes.environments import environment
from grader.episodes.extras import versions_of
from grader.episodes.lanes import Beat, side_by_side
from grader.episodes.rollout import wrappers_of
from grader.probes.agent_beside import examined
from grader.probes.agent_episodes import Table, has_code, play_episodes
from grader.probes.agent_films import agent_films
from grader.probes.agent_players import FIRST_ENTROPY, Game, cast_of
from grader.probes.agent_replays import replays
from grader.probes.context import Loaded, ProbeContext, load
from grader.records.agent_evidence import AgentEvidence, PlayedBy
from grader.records.agent_settings import AgentSettings
from grader.records.incident import Incident, IncidentKind

_NETWORK = Role("network", "function", ("create_q_model", "build_model"), instead_of="agent_class")
_ROLES = (
    Role("agent_class", "class", ("DQNAgent",)),
    Role("act", "method", ("act",), owner="agent_class"),
    Role(
        "act_batch", "method", ("act_batch", "predict_batch", "get_actions"),
        owner="agent_class", optional=True,
    ),
    Role("reset", "method", ("reset",), owner="agent_class", optional=True),
    Role("train", "method", ("train", "learn", "fit"), owner="agent_class", optional=True),
    Role("policy", "function", ("act", "policy", "agent"), instead_of="agent_class"),
)  # fmt: skip


def play_all(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds; without the comparison of a second agent."""
    evidence, _, _ = _played(context)
    return evidence


def _played(context: ProbeContext) -> tuple[AgentEvidence, Table, Game]:
    """Plays all seeds; also answers who played, and what it was told."""
    settings: AgentSettings = context.settings
    if settings.weights_file is None or settings.model_file is not None:
        context = replace(context, kind=replace(context.kind, roles=_ROLES))
    with context.worker(FIRST_ENTROPY) as worker:
        loaded = load(context, worker) if has_code(context) else Loaded()
        played = settings.played()

        def look(beat: Beat) -> tuple[Game, tuple[str, ...]]:
            with beat, environment(played) as env:
                return Game.of(env), wrappers_of(env)

        ((game, wrappers),) = side_by_side([look])
        cast = cast_of(loaded.symbols)
        fields = context.base(
            **loaded.fields(),
            environment_id=settings.environment_id,
            action_space=game.action_space,
            wrappers=wrappers,
            versions=versions_of(settings.environment_id),
            seed_set=context.seed_set,
        )
        table = Table(cast=cast)
        if not loaded.complete and not _needs_none(settings, loaded):
            return AgentEvidence(**fields), table, game
        fields["environment"] = played
        if cast.by is PlayedBy.NETWORK:
            fields["unresolved"] = ()  # a saved model needs nothing that a file defines
        if cast.by is PlayedBy.NETWORK and (missing := _missing_file(context)) is not None:
            return AgentEvidence(**fields, construction=missing), table, game
        table = play_episodes(context, cast, game, worker)
    fields |= {"played_by": table.cast.by, "isolation": context.usage.isolation}
    evidence = AgentEvidence(
        **fields,
        episodes=tuple(table.episodes),
        construction=table.construction,
        declined=table.declined,
    )
    return evidence, table, game


def _needs_none(settings: AgentSettings, loaded: Loaded) -> bool:
    """Whether the part is complete without anything its file would define."""
    return settings.model_file is not None and loaded.incident is None


def _missing_file(context: ProbeContext) -> Incident | None:
    """Why there is no network to play with: its file was not handed in."""
    settings: AgentSettings = context.settings
    name = settings.model_file or settings.weights_file
    if name is None or context.submission.has(name):
        return None
    message = f"`{name}` was not handed in"
    return Incident(kind=IncidentKind.MISSING_FILE, stage=name, message=message)


def collect(context: ProbeContext) -> AgentEvidence:
    """Plays all seeds, then shows the first episodes' observations to another agent."""
    evidence, table, game = _played(context)
    trials = replays(context, table.cast, game, table.episodes)
    examination = examined(context, table.cast, game, table.episodes)
    films = agent_films(context, table.cast, game, table.episodes) if context.films else ()
    shown: dict[str, object] = {"replays": tuple(trials), "examination": examination}
    return evidence.model_copy(update={**shown, "films": films})


PROBE = ProbeKind(
    id="agent",
    roles=(*_ROLES, _NETWORK),
    settings=AgentSettings,
    evidence=AgentEvidence,
    collect=collect,
    uses_baseline=True,
)
"""Kind `agent`."""
