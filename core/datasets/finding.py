"""What the check of a dataset says: one sentence with its place, and the command that mends it where there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong (an error: it stops a run) or odd (a warning)."""

    level: Literal["error", "warning"]
    kind: str
    location: str
    """The file, and the session, key or column in it."""
    message: str
    mend: str = ""
    """The options of `sensorloom datasets mend NAME` that put it right; empty where a person has to."""

    @property
    def sentence(self) -> str:
        """Location and message."""
        return f"{self.location}: {self.message}"

    def with_mend(self, dataset: str) -> str:
        """The sentence, with the command that mends it."""
        way_out = f"; mend it with `sensorloom datasets mend {dataset} {self.mend}`" if self.mend else ""
        return self.sentence + way_out
