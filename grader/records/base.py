"""What all records have in common."""

from __future__ import annotations

import json
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION: Final = 1
"""Version of the assignment, evidence and report formats; raised when a field changes meaning."""


class Record(BaseModel):
    """A frozen, strict value: no field is coerced, none is unknown, none can be reassigned."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",  # evidence records what came back, NaN included
    )

    @classmethod
    def parse(cls, data: object) -> Self:
        """Reads a record from plain data (dict, list, str, int, float, bool, None).

        Strict models take tuples and enums from JSON but not from Python objects; going through
        JSON gives every source (TOML, JSON, a request) the same rules.

        Args:
            data: JSON-like data.

        Raises:
            pydantic.ValidationError: the data does not have this record's form.
        """
        return cls.model_validate_json(json.dumps(data))

    def plain(self) -> dict[str, Any]:
        """This record as JSON-like data, aliases applied."""
        return self.model_dump(mode="json", by_alias=True)
