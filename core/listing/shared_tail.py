"""The end of a thread file, which most of a folder's files share: the tools that were offered.

Their schemas are half of such a file. An ending that was read once is known again by its bytes, and neither decoded nor
compacted a second time.
"""

from __future__ import annotations

import msgspec

from core.storage.thread_files import read_regular

_MOST = 8
"""Endings that are remembered: each is tried on every file."""
_WORTH_BYTES = 500
"""A shorter one is read as quickly as it is known again."""
_BEFORE = frozenset(("id", "metadata", "messages", "alternatives"))
"""Keys whose values are asked for, so they must not be in an ending."""


class Ending(msgspec.Struct, frozen=True, gc=False):
    """The end of some files from the comma before their tools."""

    data: bytes
    line: bytes
    """The same on one line."""

    def cut_off(self, data: bytes) -> bytes:
        """A file's bytes without it: where that is an object with a key, the whole is one, too, with these keys more;
        where it is not, the whole is none."""
        return data[: -len(self.data)] + b"}"


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_known: list[Ending] = []


def ending_of(data: bytes) -> Ending | None:
    """The ending of a file, if it is one that was learned."""
    for one in _known:
        if data.endswith(one.data):
            return one
    return None


def learn(path: str) -> None:
    """Remember the ending of this file, if it has one. Who goes through many files calls it for some of them."""
    file = read_regular(path)
    if file is None or len(_known) >= _MOST or ending_of(file.data):
        return
    start = file.data.rfind(b",", 0, max(0, file.data.rfind(b'"tools"')))
    if start < 0 or file.size - start < _WORTH_BYTES:
        return
    end = file.data[start:]
    alone = b"{" + end[1:]
    try:
        alone.decode()
        if not _BEFORE.intersection(_PARTS.decode(alone)):
            _known.append(Ending(end, b"," + msgspec.json.format(alone, indent=-1)[1:]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
