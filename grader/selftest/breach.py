"""What can show that an attack got through, and what came of an attack."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Canary(StrEnum):
    """Something that is in place before an attack runs and is looked at after it."""

    READ = "secret read"
    """A random text from a file, an environment or a memory came back with the results."""
    WITNESS = "attack succeeded"
    """The attack saw from inside that it succeeded, and said the word it was given."""
    FILES = "files touched"
    """A file was made, changed or deleted where student code has no business."""
    BYSTANDER = "bystander harmed"
    """Another process of the same user was ended, stopped, traced, signalled or changed."""
    CONTACT = "listener contacted"
    """Something connected or sent to a socket that listened outside."""
    OBJECTS = "kernel object left"
    """Shared memory, a message queue, semaphores or a key can be seen from outside."""
    PROCESSES = "process left"
    """A process of the attack runs on after its part has ended."""
    SCRATCH = "files left"
    """Files of the attack stay behind after its part has ended."""
    MARK = "mark too high"
    """The attack earned more than honest work of its quality would."""
    FAULT = "mark withheld"
    """The attack made the grader fail, so that a person has to look."""
    STALL = "grader held up"
    """Grading took far longer than the limits of the part allow."""
    NEIGHBOUR = "neighbour changed"
    """An honest submission graded next to the attack has another report than by itself."""
    TEXT = "text not inert"
    """A report or the terminal's text holds control characters, commands or foreign markup."""


@dataclass(frozen=True)
class Breach:
    """One canary that an attack set off."""

    canary: Canary
    detail: str

    def __str__(self) -> str:
        return f"{self.canary}: {self.detail}" if self.detail else str(self.canary)


class State(StrEnum):
    """What came of one attack at one level."""

    HELD = "held"
    BREACH = "breach"
    NOT_RUN = "not run"
    ERROR = "error"
    """The attack could not be run, so nothing is known."""


@dataclass(frozen=True)
class Cell:
    """One attack at one level."""

    state: State
    breaches: tuple[Breach, ...] = ()
    reason: str = ""
    """Why it was not run."""
    points: float = 0.0
    """Points that the attack earned in its part."""
    wall_s: float = 0.0


DETAIL_CHARS: Final = 160
"""Longest detail of a breach."""
