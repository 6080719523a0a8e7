"""What a thread's reasoning may rest on: comparisons that rank the labels, or measurements alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from core.thread.value import Thread

Evidence = Literal["reference", "measure"]
"""`reference`: the tools that compare with other people's sessions name the likeliest label. `measure`: nothing ranks
labels; a look-up tells how other people's measurements lie, and the session has to be measured."""
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
DEFAULT: Evidence = "reference"
"""What a thread whose metadata says nothing of it was made with."""


def evidence_in(metadata: Mapping[str, Any]) -> Evidence:
    """The evidence that a thread's metadata names; `reference` for what was made before there was a choice."""
    return "measure" if metadata.get("evidence") == "measure" else DEFAULT


def evidence_of(thread: Thread) -> Evidence:
    """What a thread's reasoning may rest on."""
    return evidence_in(thread.metadata)
