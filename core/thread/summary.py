"""A thread's file in what a list, a filter or a count needs of it: the value; `core.listing.summary` makes it."""

from __future__ import annotations

from typing import Literal

import msgspec

Shape = Literal["v4", "v3", "other"]


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One file of the threads folder, in what a list shows of it."""

    stem: str
    size: int = 0
    mtime_ns: int = 0
    shape: Shape = "other"
    """`v4` only when the file opens as a thread."""
    problem: str = ""
    """Why it does not open: one sentence with the line, where there is one. Empty for a v4 thread."""
    id: str = ""
    dataset: str = ""
    session: str = ""
    status: str = ""
    truth: str = ""
    answer: str = ""
    correct: bool | None = None
    confidence: str = ""
    turns: int = 0
    calls: int = 0
    responds: int = 0
    query: str = ""
    verdict: str = ""
    """`accept`, `reject`, `skip`, or empty."""
    tags: tuple[str, ...] = ()
    parent: str = ""
    branched_at: int | None = None
    model: str = ""
    created: str = ""
    """ISO 8601 as the file has it."""
    modified: str = ""
    tools_used: tuple[str, ...] = ()
    """Names of the tools its calls name, in the order of their first use."""
    stale: int = 0
    """Messages that rest on something that changed since."""
    ready: bool = False
    """Whether a look at its bytes found that they can leave as they are: contents and arguments are strings, every call
    is answered, nothing is stale, and there are no alternatives."""
    keys: int = 0
    """Of what is ready and finished: about how many keys hold something before its messages. Arrow settles its columns
    on the first rows it is given, so an export begins with the fullest."""
