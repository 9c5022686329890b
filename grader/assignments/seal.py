"""The seal on recorded results: numbers that were changed after they were recorded are noticed.

Marks depend on them as much as on the assignment. The seal guards against accidents and edits in
passing, not against an author, who may record what he likes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from grader.records.spec import Baselines

SEAL: Final = "digest"
"""The key in `baselines.json` that holds the seal."""


def seal_of(baselines: Baselines) -> str:
    """`sha256:<hex>` over all that recorded results say."""
    canonical = json.dumps(baselines.plain(), sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def sealed(baselines: Baselines) -> dict[str, Any]:
    """What is written to `baselines.json`."""
    return {**baselines.plain(), SEAL: seal_of(baselines)}
