"""What a thread's reasoning may rest on: comparisons that rank the labels, or measurements alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from core.thread.updates import with_metadata
from core.thread.value import Thread

Evidence = Literal["reference", "measure"]
"""`reference`: the tools that compare with other people's sessions name the likeliest label. `measure`: nothing ranks
labels; a look-up tells how other people's measurements lie, and the session has to be measured."""
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
Wanted = Literal["reference", "measure", "mix"]
"""What may be asked for: one of them, or `mix`, one half of the threads with each."""
WANTED: tuple[Wanted, ...] = get_args(Wanted)
DEFAULT: Evidence = "reference"
"""What a thread whose metadata says nothing of it was made with."""


def evidence_in(metadata: Mapping[str, Any]) -> Evidence:
    """The evidence that a thread's metadata names; `reference` for what was made before there was a choice."""
    return "measure" if metadata.get("evidence") == "measure" else DEFAULT


def evidence_of(thread: Thread) -> Evidence:
    """What a thread's reasoning may rest on."""
    return evidence_in(thread.metadata)


def usual(builtin: bool) -> Wanted:
    """What is meant where nobody said: the built-in analyst makes half of its threads in each mode, which it knows to
    reason in; any other model has the tools that rank."""
    return "mix" if builtin else DEFAULT


def settled(wanted: Wanted, session: str, seed: int | None = None) -> Evidence:
    """The mode of one thread: what is wanted, where that is `mix` by a hash of the session and the seed."""
    if wanted != "mix":
        return wanted
    return EVIDENCE[hashlib.sha256(f"{seed}\0{session}".encode(errors="surrogatepass")).digest()[0] % 2]


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
