"""The receipt of an episode as a file: all that is needed to play it again, without its agent."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Literal

from pydantic import Field

from grader.records.agent_evidence import AgentEvidence, Episode
from grader.records.base import SCHEMA_VERSION, Record
from grader.records.environments import PlayedEnvironment
from grader.records.report import SubmissionRef

SEAL: Final = "digest"
"""The key in a receipt's file that holds the seal."""


class Receipt(Record):
    """What one episode was played in, what was done, and what came of it."""

    schema_version: Literal[1] = SCHEMA_VERSION
    submission: str
    """Its id."""
    work: str
    """`sha256:<hex>` over the files that were handed in."""
    part: str
    n: int = Field(ge=1)
    """Number of the episode, from 1."""
    environment: PlayedEnvironment
    wrappers: tuple[str, ...]
    """Wrappers around the environment, outermost first."""
    versions: dict[str, str]
    """Versions of the packages that decide what happens in an episode."""
    episode: Episode

    @property
    def name(self) -> str:
        """The name of its file, without a folder."""
        return f"{self.part}-{self.n}.json"


class EditedReceipt(ValueError):
    """A receipt is not as it was written."""


def receipts_of(evidence: AgentEvidence, submission: SubmissionRef) -> tuple[Receipt, ...]:
    """The receipts of all episodes that a part's evidence holds."""
    if evidence.environment is None:
        return ()
    return tuple(
        Receipt(
            submission=submission.id,
            work=submission.digest,
            part=evidence.part,
            n=number,
            environment=evidence.environment,
            wrappers=evidence.wrappers,
            versions=evidence.versions,
            episode=episode,
        )
        for number, episode in enumerate(evidence.episodes, start=1)
    )


def receipt_text(receipt: Receipt) -> str:
    """A receipt as it is written: JSON, a key to a line, the seal last."""
    data = {**receipt.plain(), SEAL: _seal(receipt)}
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(data[key])}" for key in data)
    return f"{{\n{lines}\n}}\n"


def read_receipt(text: str) -> Receipt:
    """A receipt out of its file.

    Raises:
        EditedReceipt: it does not fit its seal.
        ValueError: it is no receipt.
    """
    try:
        data: Any = json.loads(text)
        seal = data.pop(SEAL)
        receipt = Receipt.parse(data)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("it is no receipt of an episode") from error
    if seal != _seal(receipt):
        raise EditedReceipt("it was changed after it was written: it does not fit its digest")
    return receipt


def _seal(receipt: Receipt) -> str:
    canonical = json.dumps(receipt.plain(), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"
