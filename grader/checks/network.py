"""The checks offered for networks."""

from __future__ import annotations

from typing import Final

from grader.assignments.registry import CheckKind, NoSettings
from grader.checks.architecture.judge import judge_architecture
from grader.checks.architecture.validation import network_problems
from grader.checks.gradients import judge_gradients
from grader.checks.network_behaviour import judge_behaviour
from grader.checks.network_interface import judge_interface
from grader.checks.weights import judge_initialisation
from grader.records.network_settings import ArchitectureSettings
from grader.records.weights_settings import GradientsSettings, InitialisationSettings

CHECKS: Final = (
    CheckKind(
        id="network.interface",
        settings=NoSettings,
        judge=judge_interface,
        description="Whether the builder returns a Keras model for every number of actions, and "
        "the model takes one of the accepted inputs.",
    ),
    CheckKind(
        id="network.architecture",
        settings=ArchitectureSettings,
        judge=judge_architecture,
        description="Whether the layers are those asked for, layer by layer and attribute by "
        "attribute, and provably compute the output.",
        part_problems=network_problems,
    ),
    CheckKind(
        id="network.behaviour",
        settings=NoSettings,
        judge=judge_behaviour,
        description="Whether the network answers with one finite value per action that depends on "
        "its input and on nothing else.",
    ),
    CheckKind(
        id="network.initialisation",
        settings=InitialisationSettings,
        judge=judge_initialisation,
        description="Whether kernels and biases are drawn as asked for, by exact tests, and units "
        "differ; the share of the layers. Needs `examine_weights`.",
        needs="examine_weights",
    ),
    CheckKind(
        id="network.gradients",
        settings=GradientsSettings,
        judge=judge_gradients,
        description="Whether gradients reach every layer that is trained, are finite, and ReLUs "
        "are alive; the share of the layers. Needs `examine_weights`.",
        needs="examine_weights",
    ),
)
