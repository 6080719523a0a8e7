"""Exports that are large enough for several processes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.export import run
from core.export.report import ExportCancelledError, ExportRequest, NothingToExportError, Progress
from core.export.run import export
from core.export.split import parse_split
from core.listing import index, index_cache
from core.listing.index import summaries
from core.listing.summary import summarize
from core.processes import pool
from core.thread.summary import Summary
from core.workspace import Workspace

from .threads import document, put, rows, workspace


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch):
    """Every export counts as a large one, and every folder."""
    monkeypatch.setattr(pool, "cores", lambda: 2)
    monkeypatch.setattr(run, "PART", 4)
    monkeypatch.setattr(run, "MANY", 4)
    monkeypatch.setattr(index, "MANY", 4)
    monkeypatch.setattr(index, "BATCH", 4)
    monkeypatch.setattr(index_cache, "BLOCK", 4)


def mixed() -> list[dict[str, Any]]:
    """Thirty threads, of which every seventh cannot leave and the tenth is the richest."""
    threads = [document(number, session=f"s{number % 5}") for number in range(1, 31)]
    for thread in threads[6::7]:
        del thread["messages"][3]
    threads[10]["metadata"]["tags"] = ["x"]
    return threads


REQUESTS = [
    ExportRequest(),
    ExportRequest(filter="rhythm -lint:counts"),
    ExportRequest(dedupe="near"),
    ExportRequest("hf", split_calls=True),
    ExportRequest("openai"),
    ExportRequest("llamafactory", cap=7),
    ExportRequest(split=parse_split("70/30", "session")),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda wanted: f"{wanted.profile} {wanted.filter or wanted.dedupe}")
def test_processes_write_the_same_bytes_and_say_the_same(
    tmp_path: Path, request_: ExportRequest, request: pytest.FixtureRequest
):
    space = workspace(tmp_path, *mixed())
    alone = export(space, request_)
    request.getfixturevalue("large")
    together = export(space, request_)
    assert [file.sha256 for file in together.files] == [file.sha256 for file in alone.files]
    assert [file.path.read_bytes() for file in together.files if file.path] == [
        file.path.read_bytes() for file in alone.files if file.path
    ]
    assert (together.exported, together.skipped, together.refusals) == (alone.exported, alone.skipped, alone.refusals)
    assert together.changes == alone.changes and together.balance == alone.balance


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("richer", [[0], [9], [2, 25], [25]])
def test_the_richest_row_is_the_first_wherever_it_was(tmp_path: Path, richer: list[int]):
    threads = [document(number, session="s1") for number in range(1, 31)]
    for number in richer:
        threads[number]["metadata"]["tags"] = ["x"]
    space = workspace(tmp_path, *threads)
    report = export(space, ExportRequest())
    ids = [thread["id"] for thread in threads]
    first = ids.pop(richer[0])
    assert report.path
    assert [row["id"] for row in rows(report.path)] == [first, *ids]
    assert report.files[0].sha256 == hashlib.sha256(report.path.read_bytes()).hexdigest()
    sides = export(space, ExportRequest(split=parse_split("50/50", "session")))
    for file in sides.files:
        assert file.path
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest() and file.rows == 30


@pytest.mark.usefixtures("large")
def test_a_large_export_is_stopped_between_two_parts_and_leaves_nothing(tmp_path: Path):
    space = workspace(tmp_path, *mixed())
    seen: list[int] = []
    with pytest.raises(ExportCancelledError):
        export(space, ExportRequest("hf"), Progress(lambda done, _: seen.append(done), lambda: len(seen) > 2))
    assert seen == [0, 4, 8]
    assert [path.name for path in space.exports.iterdir()] == []


@pytest.mark.usefixtures("large")
def test_a_large_folder_is_listed_by_processes_with_names_that_are_no_text(tmp_path: Path):
    space = workspace(tmp_path, *mixed())
    odd = os.fsdecode(b"odd\xff")
    put(space.threads, document(99)).rename(space.threads / f"{odd}.json")
    (space.threads / "half.json").write_text("{")
    listed = {summary.stem: summary for summary in summaries(space)}
    assert len(listed) == 32 and listed["half"].problem and odd in listed
    assert sum(summary.status == "finished" for summary in listed.values()) >= 30


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("cached", [False, True])
def test_what_changed_since_it_was_listed_leaves_as_it_is_now(tmp_path: Path, cached: bool):
    space = workspace(tmp_path, *mixed())
    (space.threads / "gone.json").write_text(json.dumps(document(98)))
    long_ago(space)
    if cached:
        summaries(space)
    first, second, third = sorted(space.threads.glob("uci*.json"))[:3]
    value = json.loads(first.read_text())
    first.write_text(json.dumps({**value, "note": "written since"}))
    second.write_text(json.dumps({**json.loads(second.read_text()), "messages": value["messages"][:2]}))
    third.write_text("{")
    (space.threads / "gone.json").unlink()
    put(space.threads, document(99))
    report = export(space, ExportRequest())
    assert json.loads(first.read_text()) in [{**row, "note": "written since"} for row in rows(report.path)]
    assert sum("note" in row for row in rows(report.path)) == 1
    assert (report.total, report.exported) == (31, 25)
    assert dict(report.skipped) == {"broken tool calls": 4, "not finished": 1, "not a valid thread": 1}
    after = export(space, ExportRequest())
    assert [file.sha256 for file in after.files] == [file.sha256 for file in report.files]
    assert (after.skipped, after.refusals) == (report.skipped, report.refusals)
    assert "gone" not in {summary.stem for summary in summaries(space)}


@pytest.mark.usefixtures("large")
def test_what_came_and_went_among_cached_files_is_right_in_the_next_list(tmp_path: Path):
    space = workspace(tmp_path, *mixed())
    long_ago(space)
    summaries(space)
    for number in (3, 4, 5, 6, 7, 8, 20):  # one block loses all it had
        next(space.threads.glob(f"*_{number:04}.json")).unlink()
    for number in range(100, 112):
        copy = put(space.threads, document(number))
        copy.rename(space.threads / f"uci_har_s0_v4_0009_{number}.json")
    long_ago(space)
    report = export(space, ExportRequest())
    listed = {summary.stem for summary in summaries(space)}
    assert listed == {path.stem for path in space.threads.glob("*.json")} and report.total == len(listed)
    known, _ = index_cache.load(space)
    assert {stem: known[stem] for stem in listed} == {summary.stem: summary for summary in summaries(space)}
    assert export(space, ExportRequest()).files[0].sha256 == report.files[0].sha256


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_first_export_makes_the_index_and_the_next_one_leaves_it(tmp_path: Path, dry_run: bool):
    space = workspace(tmp_path, *mixed())
    long_ago(space)
    export(space, ExportRequest(), dry_run=dry_run)
    assert in_index(space) == in_folder(space) and len(in_index(space)) == 30
    cache = space.private / "index.cache"
    before = cache.stat()
    export(space, ExportRequest(), dry_run=dry_run)
    assert (cache.stat().st_ino, cache.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("changed", [[], [1], [14], [29], [2, 29]])
@pytest.mark.parametrize("gone", [[], range(4, 8), range(24, 30)])
def test_an_export_renews_what_changed_in_the_index_and_keeps_the_rest(
    tmp_path: Path, changed: list[int], gone: Sequence[int]
):
    space = workspace(tmp_path, *mixed())
    long_ago(space)
    export(space, ExportRequest())
    paths = sorted(space.threads.glob("*.json"))
    for number in changed:
        paths[number].write_text(json.dumps(document(number + 100)))
    for number in {*gone} - {*changed}:
        paths[number].unlink()
    long_ago(space)
    export(space, ExportRequest())
    assert in_index(space) == in_folder(space)


@pytest.mark.parametrize("kind", ["large", None])
def test_a_file_that_was_exchanged_with_its_time_kept_is_refused_not_copied(
    tmp_path: Path, kind: str | None, request: pytest.FixtureRequest
):
    if kind:
        request.getfixturevalue(kind)
    space = workspace(tmp_path, *mixed())
    long_ago(space)
    summaries(space)
    path = min(space.threads.glob("*.json"))
    before = path.stat()
    path.write_bytes(path.read_bytes()[:-10] + b"!" * 10)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    report = export(space, ExportRequest())
    assert report.exported == 25 and dict(report.skipped) == {"broken tool calls": 4, "not a valid thread": 1}


@pytest.mark.parametrize("change", [
    {"alternatives": [{"parent_index": 3, "message": {"role": "assistant", "content": "x"}}]},
    {"messages": "parts"},
    {"messages": "object"},
    {"metadata": {"dataset": 7, "ground_truth": None}},
], ids=["alternatives", "content in parts", "content as an object", "metadata of other types"])  # fmt: skip
def test_a_thread_of_another_form_leaves_the_same_whether_its_summary_is_cached_or_not(
    tmp_path: Path, change: dict[str, Any]
):
    value = document(1)
    match change.get("messages"):
        case "parts":
            value["messages"][1]["content"] = [{"type": "text", "text": "half"}, {"type": "text", "text": " whole"}]
        case "object":
            value["messages"][3]["content"] = {"mean": 1}
        case _:
            value |= {key: {**value["metadata"], **part} if key == "metadata" else part for key, part in change.items()}
    space = workspace(tmp_path, value)
    long_ago(space)
    fresh, cached = export(space, ExportRequest()), export(space, ExportRequest())
    assert fresh.exported == 1 and fresh.files[0].sha256 == cached.files[0].sha256
    (row,) = rows(cached.path)
    assert "alternatives" not in row and all(isinstance(message["content"], str | None) for message in row["messages"])


def in_index(space: Workspace) -> Mapping[str, Summary]:
    """The summaries in the index as it is."""
    return index_cache.load(space)[0]


def in_folder(space: Workspace) -> dict[str, Summary]:
    """The summaries of the folder as it is."""
    return {path.stem: summarize(space.threads, path.stem) for path in space.threads.glob("*.json")}


def long_ago(space: Workspace) -> None:
    """Make all threads old enough for their times to be trusted."""
    for path in space.threads.glob("*.json"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def test_a_dry_run_says_what_would_leave_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace(tmp_path, *mixed())
    told = export(space, ExportRequest(split=parse_split("70/30")), dry_run=True)
    assert told.exported == 26 and told.files == () and dict(told.skipped) == {"broken tool calls": 4}
    assert told.balance == export(space, ExportRequest(split=parse_split("70/30"))).balance
    with pytest.raises(NothingToExportError):
        export(space, ExportRequest(filter="status:active"), dry_run=True)
    before = sorted(path.name for path in space.exports.iterdir())
    assert run_command(["export", "--dry-run", "--json", "--workspace", str(tmp_path)]) == 0
    document_ = json.loads(capsys.readouterr().out)
    assert (document_["dry_run"], document_["exported"], document_["path"]) == (True, 26, None)
    assert sorted(path.name for path in space.exports.iterdir()) == before
    assert run_command(["export", "--dry-run", "--hold-out", "a/b", "--workspace", str(tmp_path)]) == 2


def test_a_dry_run_makes_no_folder(tmp_path: Path):
    space = workspace(tmp_path, document(1))
    export(space, ExportRequest(), dry_run=True)
    assert not space.exports.exists() and not (tmp_path / "splits.json").exists()
    assert rows(export(space, ExportRequest()).path)
