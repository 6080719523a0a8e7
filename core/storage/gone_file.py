"""The file beside packs that says what is in none of them any more, `gone.jsonl`; only lines are added to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from core.errors import SensorloomError, ThreadError, system_reason
from core.files import read_regular_file
from core.storage.atomic import sync, sync_folder

NAME = "gone.jsonl"


class _Out(msgspec.Struct, frozen=True, gc=False):
    """A line: the thread, and the last of the packs that it counts for."""

    id: str
    pack: str


_OUT = msgspec.json.Decoder(_Out)
"""The file is read again after each thread that goes: this takes a twentieth of the time of `json`."""


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """A thread that is gone and the last of the packs that it is gone from, for each line. Raises ThreadError where
    they cannot be read."""
    try:
        data = read_regular_file(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ThreadError(
            f"{path}, which says what is in no pack any more, cannot be read: {system_reason(error)}"
        ) from error
    for line in filter(None, data.split(b"\n")):
        try:
            out = _OUT.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # torn by a kill: what it was about was not done either
        yield out.id, out.pack


def add(path: Path, last_packs: Mapping[str, str]) -> None:
    """Note threads, each with the last of the packs that it is gone from, on disk when this returns. Where the folder
    of packs went, nothing is noted. Raises SensorloomError where that cannot be written."""
    added = b"".join(msgspec.json.encode(_Out(stem, pack)) + b"\n" for stem, pack in last_packs.items())
    if not added:
        return
    try:
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(b"\n" * (not is_new) + added)  # a kill may have left the last line torn
            file.flush()
            sync(file.fileno())
    except FileNotFoundError:
        return  # the last pack went just now
    except OSError as error:
        raise SensorloomError(f"cannot write {path}: {system_reason(error)}") from error
    if is_new:
        sync_folder(path.parent)
