"""When two threads are the same, or nearly: by what they say and by the tools they called.

Two threads are exact duplicates when question, texts, calls and results are equal, whatever their ids and labels.
They are near duplicates when they called the same tools in the same order on the same session, or got the
same results, and their wording overlaps almost wholly.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from core.thread.value import Thread, call_arguments, call_name, calls_of, is_assistant, text_of

NEAR = 0.82
"""Overlap of word triples (Jaccard) from which two texts count as one wording: three words in a hundred differ."""

SKETCH = 128
"""Smallest hashes kept of a text's word triples (a bottom-k sketch, Cohen and Kaplan 2007): its error is
about 0.035, at half a kilobyte a thread."""

_FIRST = 4
"""Of the smallest hashes, so many are looked up: texts that overlap by `NEAR` share one of them in 999 cases of 1000
(0.18 to the fourth of a chance to share none), and two of the many with one key need not all be compared."""

_WORD = re.compile(r"\w+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Signature:
    """What a thread is compared by."""

    exact: bytes
    """Hash of all that is said."""
    keys: tuple[bytes, ...]
    """Threads can only be near duplicates when they share one of these."""
    sketch: bytes
    """The smallest hashes of the wording's word triples, ascending, four bytes each in the machine's order."""

    @property
    def hashes(self) -> memoryview[int]:
        """The sketch as numbers."""
        return memoryview(self.sketch).cast("I")


def signature(thread: Thread) -> Signature:
    """A thread's signature."""
    path = tuple(call_name(call) for message in thread.messages for call in calls_of(message))
    results = [text_of(message) for message in thread.messages if message.get("role") == "tool"]
    calls = [[call_name(call), call_arguments(call)] for message in thread.messages for call in calls_of(message)]
    everything = [thread.question, [[message.get("role"), text_of(message)] for message in thread.messages], calls]
    keys = [_hash(json.dumps([thread.dataset, thread.session, path]))]
    if results:
        keys.append(_hash("\0".join((*path, *results))))
    return Signature(_hash(json.dumps(everything)), tuple(keys), _sketch(thread))


def overlap(new: Signature, known: Signature) -> float:
    """The estimated share of word triples that two threads have in common, 0 to 1."""
    first, second = set(new.hashes), set(known.hashes)
    smallest = sorted(first | second)[:SKETCH]
    return sum(value in first and value in second for value in smallest) / len(smallest) if smallest else 1.0


def is_near(first: Signature, second: Signature) -> bool:
    """Whether two threads that share a key are near duplicates."""
    if first.exact == second.exact:
        return True
    both = len(set(first.hashes).intersection(second.hashes))
    count = min(len(first.hashes) + len(second.hashes) - both, SKETCH)
    return both >= NEAR * count and overlap(first, second) >= NEAR


class Seen:
    """The threads met so far, for finding each new one's duplicate."""

    def __init__(self) -> None:
        self._exact: dict[bytes, str] = {}
        self._threads: list[tuple[str, Signature]] = []
        self._near: dict[tuple[bytes, int], list[int]] = {}
        """By key and one of the first hashes: places in `_threads`."""

    def exact(self, stem: str, new: Signature) -> str | None:
        """The first thread that says exactly this, if there is one; else this one is remembered."""
        first = self._exact.setdefault(new.exact, stem)
        return None if first == stem else first

    def near(self, stem: str, new: Signature) -> tuple[str, float] | None:
        """The first thread that says nearly this and how much of it; else this one is remembered."""
        firsts = new.hashes[:_FIRST].tolist() or [0]
        places = [(key, value) for key in new.keys for value in firsts]
        for number in sorted({number for entry in places for number in self._near.get(entry, ())}):
            other, theirs = self._threads[number]
            if is_near(new, theirs):
                return other, overlap(new, theirs)
        for entry in places:
            self._near.setdefault(entry, []).append(len(self._threads))
        self._threads.append((stem, new))
        return None


def _sketch(thread: Thread) -> bytes:
    words = [word.casefold() for text in _wording(thread) for word in _WORD.findall(text)]
    triples = {" ".join(words[at : at + 3]) for at in range(max(len(words) - 2, 1))} if words else set[str]()
    hashes = {hashlib.blake2b(triple.encode(), digest_size=8).digest()[:4] for triple in triples}
    return array("I", sorted(int.from_bytes(hashed) for hashed in hashes)[:SKETCH]).tobytes()


def _wording(thread: Thread) -> Iterator[str]:
    yield thread.question
    yield from (text_of(message) for message in thread.messages if is_assistant(message))


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
