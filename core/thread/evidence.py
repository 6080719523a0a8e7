"""What a thread's reasoning may rest on: comparisons that rank the labels, or measurements alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from core.thread.value import Thread, with_metadata

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


WITHOUT = "references_without"
"""The metadata of a thread that name whom its references leave out beside its own subject."""


def references_without(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of subjects and sessions that a thread's references were made without; none where nothing is said, as
    in what was made before anybody was left out."""
    names = metadata.get(WITHOUT)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def with_references_without(thread: Thread, names: Sequence[str]) -> Thread:
    """The thread with whom its references leave out from now on."""
    return with_metadata(thread, **{WITHOUT: list(names) or ...})
