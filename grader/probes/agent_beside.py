"""What is tried with an agent beside playing, all together."""

from __future__ import annotations

from collections.abc import Sequence

from grader.probes.agent_examination import examine
from grader.probes.agent_players import Cast
from grader.probes.agent_players import Game as ToldGame
from grader.probes.agent_training import learning_curve
from grader.probes.context import ProbeContext
from grader.records.agent_evidence import Episode
from grader.records.agent_examination import AgentExamination
from grader.records.agent_settings import AgentSettings


def examined(
    context: ProbeContext, cast: Cast, told: ToldGame, episodes: Sequence[Episode]
) -> AgentExamination | None:
    """Everything that the assignment asks for; None where that is nothing.

    Args:
        context: the part; its settings say what is tried.
        cast: who played.
        told: what it was told of the environment.
        episodes: that were played.
    """
    settings: AgentSettings = context.settings
    found = examine(context, cast, told, episodes)
    if not settings.learning_steps or not episodes:
        return found
    curve = learning_curve(context, cast, told)
    return (found or AgentExamination()).model_copy(update={"learning": curve})
