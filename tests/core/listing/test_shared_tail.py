"""An ending that is known is no longer read; what comes out is the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.export.report import ExportRequest
from core.export.run import export
from core.export.source import one_line
from core.listing import index, shared_tail
from core.listing.fast_decode import outline
from core.listing.summary import look
from core.workspace import open_workspace
from tests.core.export.threads import document

TOOLS = [
    {"type": "function", "function": {"name": f"tool_{number}", "description": "x, \"tools\" in m/s² " * 20}}
    for number in range(2)
]  # fmt: skip


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_tail, "_known", list[shared_tail.Ending]())


def _thread(number: int, **more: Any) -> dict[str, Any]:
    return {**document(number), "tools": TOOLS, **more}


def _texts(thread: dict[str, Any]) -> list[bytes]:
    spaced = [json.dumps(thread, indent=indent, ensure_ascii=False) for indent in (None, 2)]
    return [text.encode() for text in (*spaced, json.dumps(thread, separators=(",", ":")), f"{spaced[1]}\n")]


def _put(folder: Path, data: bytes) -> str:
    path = folder / "some.json"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("form", range(4))
@pytest.mark.parametrize(
    "more", [{}, {"later": {"a": 1}}, {"alternatives": []}, {"metadata": {"dataset": "d", "tools": TOOLS}}]
)
def test_what_is_read_and_written_is_the_same(tmp_path: Path, form: int, more: dict[str, Any]):
    shared_tail.learn(_put(tmp_path, _texts(_thread(1, **more))[form]))
    assert bool(shared_tail.ending_of(_texts(_thread(2, **more))[form])) is ("alternatives" not in more)
    every = [
        data
        for thread in (_thread(2, **more), _thread(3, notes={"tools": TOOLS}, **more), document(4))
        for data in _texts(thread)
    ]
    with_known = [(outline(data), one_line(data)) for data in every]
    shared_tail._known.clear()  # pyright: ignore[reportPrivateUsage]
    assert with_known == [(outline(data), one_line(data)) for data in every]
    assert [json.loads(line) for _, line in with_known] == [json.loads(data) for data in every]


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: data.replace(b'"messages"', b'"messages', 1),  # type: ignore[misc]
        lambda data: data.replace(b'"id"', b'{"id"', 1),  # type: ignore[misc]
        lambda data: data.replace(b'"messages"', b'"massages"', 1),  # type: ignore[misc]
        lambda data: data.replace(b"laying", b"lay\xffing"),  # type: ignore[misc]
        lambda data: b"{" + data[data.rindex(b',\n  "tools"') :],  # type: ignore[misc]
        lambda data: data[: data.rindex(b',\n  "tools"')] + data[data.rindex(b',\n  "tools"') :] * 2,  # type: ignore[misc]
    ],
)
def test_a_broken_file_with_a_known_ending_is_as_broken_as_before(tmp_path: Path, broken: Any):
    data = broken(_texts(_thread(1))[3])
    _put(tmp_path, data)
    before = look(tmp_path, "some").summary
    shared_tail.learn(_put(tmp_path, _texts(_thread(1))[3]))
    _put(tmp_path, data)
    assert shared_tail.ending_of(data)
    after = look(tmp_path, "some").summary
    assert before.problem and after == msgspec.structs.replace(before, mtime_ns=after.mtime_ns)


def test_what_is_no_text_with_a_known_ending_makes_no_row(tmp_path: Path):
    good = _texts(_thread(1))[3]
    shared_tail.learn(_put(tmp_path, good))
    for data in (b"{" + good[good.rindex(b',\n  "tools"') :], b'{"a":1,' + good[good.rindex(b',\n  "tools"') :]):
        with pytest.raises(msgspec.DecodeError):
            one_line(data)


def test_only_so_many_endings_are_tried(tmp_path: Path):
    for number in range(20):
        shared_tail.learn(_put(tmp_path, _texts(_thread(1, tools=[*TOOLS, {"number": number}]))[3]))
    assert len(shared_tail._known) == 8  # pyright: ignore[reportPrivateUsage]


def test_what_is_not_there_or_no_thread_teaches_nothing(tmp_path: Path):
    shared_tail.learn(str(tmp_path / "gone.json"))
    no_text = _texts(_thread(1))[3].replace(b"m/s", b"m/\xff")
    for data in (b"", b'"tools"', b',"tools"' + b" " * 900, b'{"a":1,"tools":' + b"[" * 900, b"\xff" * 900, no_text):
        shared_tail.learn(_put(tmp_path, data))
    assert not shared_tail._known  # pyright: ignore[reportPrivateUsage]


def test_whoever_goes_through_a_folder_learns_its_endings(tmp_path: Path):
    workspace = open_workspace(str(tmp_path))
    path = workspace.threads / "a.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_texts(_thread(1))[3])
    index.part_maker(workspace.threads)(["a"], lambda _: None)
    assert shared_tail.ending_of(path.read_bytes())
    shared_tail._known.clear()  # pyright: ignore[reportPrivateUsage]
    assert export(workspace, ExportRequest(finished_only=False)).exported == 1
    assert shared_tail.ending_of(path.read_bytes())
