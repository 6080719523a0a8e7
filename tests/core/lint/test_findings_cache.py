"""What the checks found is kept between runs, and only ever what is still so."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.filters.language import parse, select
from core.lint import findings_cache, record, survey
from core.lint.findings_cache import FindingsCache, findings_cache_path, with_findings_cache
from core.lint.survey import bring_up_to_date, repeats
from core.listing.index import summaries
from core.processes import pool
from core.workspace import Workspace

from ..export.threads import Document, document, put, workspace

LONG_AGO = time.time_ns() - 3_600_000_000_000


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stems that were looked at, one after the other."""
    stems: list[str] = []
    look_at = record.look_at

    def noting(file: record.ReadFile, labels: tuple[str, ...]) -> record.Record | None:
        stems.append(file.stem)
        return look_at(file, labels)

    monkeypatch.setattr(record, "look_at", noting)
    return stems


def settled(space: Workspace) -> Workspace:
    """The files as if they had been written an hour ago."""
    for path in space.threads.glob("*.json"):
        os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return space


def spoiled(number: int, **metadata: Any) -> Document:
    thread = document(number, session=f"s{number}")
    thread["metadata"]["num_tool_calls"] = 7
    thread["metadata"] |= metadata
    return thread


def twins() -> list[Document]:
    thread = document(1, session="a")
    return [thread, {**thread, "id": "uci_har_z_v4_0002", "metadata": {**thread["metadata"], "session": "b"}}]


def chosen(space: Workspace, text: str) -> list[str]:
    return [summary.stem for summary in select(space.threads, summaries(space), parse(text, space))]


def test_only_a_file_that_changed_is_looked_at_again(tmp_path: Path, looked_at: list[str]):
    good, bad = document(1, session="a"), spoiled(2)
    space = settled(workspace(tmp_path, good, bad))
    assert chosen(space, "lint:counts") == [bad["id"]]
    assert sorted(looked_at) == sorted([good["id"], bad["id"]])
    looked_at.clear()
    assert chosen(space, "lint:none") == [good["id"]] and chosen(space, "-lint:counts") == [good["id"]]
    assert run_command(["check", "--workspace", str(tmp_path)]) == 1
    assert looked_at == []
    good["metadata"]["num_tool_calls"] = 7
    put(space.threads, good)
    assert len(chosen(space, "lint:counts")) == 2 and looked_at == [good["id"]]


def test_a_change_in_the_same_tick_as_the_look_is_not_missed(tmp_path: Path):
    bad = spoiled(1)
    space = workspace(tmp_path, bad)
    path = space.threads / f"{bad['id']}.json"
    stamp = path.stat()
    assert chosen(space, "lint:counts") == [bad["id"]]
    path.write_text(path.read_text().replace('"num_tool_calls": 7', '"num_tool_calls": 2'))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert path.stat().st_size == stamp.st_size
    assert chosen(space, "lint:counts") == []


def test_what_was_kept_by_another_version_of_the_checks_is_not_used(tmp_path: Path, looked_at: list[str]):
    space = settled(workspace(tmp_path, spoiled(1)))
    chosen(space, "lint:counts")
    with closing(sqlite3.connect(findings_cache_path(space))) as database:
        database.execute(f"PRAGMA user_version = {findings_cache.VERSION - 1}")
    assert len(chosen(space, "lint:counts")) == 1 and len(looked_at) == 2
    assert len(chosen(space, "lint:counts")) == 1 and len(looked_at) == 2


def test_other_labels_of_the_dataset_make_the_findings_anew(tmp_path: Path):
    thread = document(1, truth="jogging")
    thread["metadata"]["ground_truth"] = "walking"
    thread["metadata"]["is_correct"] = False
    space = settled(workspace(tmp_path, thread))
    assert chosen(space, "lint:unknown_answer") == [thread["id"]]
    folder = space.data / "uci_har"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"dataset_name": "uci_har", "activities": ["walking", "jogging"]}))
    (folder / "labels.json").write_text(json.dumps({thread["metadata"]["session"]: ["walking"]}))
    assert chosen(space, "lint:unknown_answer") == []


def not_a_database(path: Path) -> None:
    path.write_bytes(b"nothing that can be read" * 100)


def half_a_database(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def bytes_in_the_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def somebody_elses(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE thread (name TEXT)")
    other.execute(f"PRAGMA user_version = {findings_cache.VERSION}")
    other.commit()
    other.close()


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [not_a_database, half_a_database, bytes_in_the_middle, somebody_elses, empty])
def test_what_is_broken_is_made_anew(tmp_path: Path, looked_at: list[str], damage: Callable[[Path], None]):
    space = settled(workspace(tmp_path, *(spoiled(number) for number in range(1, 6)), *twins()))
    before = chosen(space, "lint:any")
    assert len(before) == 6
    damage(findings_cache_path(space))
    assert chosen(space, "lint:any") == before
    looked_at.clear()
    assert chosen(space, "lint:any") == before and looked_at == []


def a_folder(path: Path) -> None:
    path.mkdir(parents=True)


def below_a_file(path: Path) -> None:
    path.parent.write_text("")


@pytest.mark.parametrize("obstacle", [a_folder, below_a_file])
def test_where_nothing_can_be_kept_the_checks_do_without(tmp_path: Path, obstacle: Callable[[Path], None]):
    space = workspace(tmp_path, spoiled(3), *twins())
    obstacle(findings_cache_path(space))
    for _ in range(2):
        assert chosen(space, "lint:counts") == [spoiled(3)["id"]]
        assert chosen(space, "lint:duplicates") == ["uci_har_z_v4_0002"]
    assert with_findings_cache(space, lambda cache: cache.lasting) is False


def test_many_files_are_looked_at_in_processes_with_the_same_result(
    tmp_path: Path, looked_at: list[str], monkeypatch: pytest.MonkeyPatch
):
    space = settled(workspace(tmp_path, *(spoiled(number) for number in range(1, 30, 2)), *twins()))
    alone = with_findings_cache(space, lambda cache: look(cache, space))
    findings_cache_path(space).unlink()
    looked_at.clear()
    monkeypatch.setattr(pool, "cores", lambda: 2)
    monkeypatch.setattr(survey, "MANY", 4)
    monkeypatch.setattr(survey, "PART", 3)
    assert with_findings_cache(space, lambda cache: look(cache, space)) == alone and looked_at == []


def look(cache: FindingsCache, space: Workspace) -> Any:
    listing = summaries(space)
    assert bring_up_to_date(cache, space, listing)
    stems = {summary.stem for summary in listing}
    return cache.checks(), cache.findings(stems), repeats(cache, stems)


def test_what_was_found_before_it_was_broken_off_is_kept(tmp_path: Path, looked_at: list[str]):
    many = survey.PART + 20
    space = settled(workspace(tmp_path, *(spoiled(number) for number in range(many))))
    told: list[tuple[int, int]] = []
    listing = summaries(space)

    def work(cache: FindingsCache) -> bool:
        return bring_up_to_date(cache, space, listing, lambda *far: told.append(far), lambda: bool(told))

    assert with_findings_cache(space, work) is False
    assert told == [(survey.PART, many)] and len(looked_at) == survey.PART
    looked_at.clear()
    assert len(chosen(space, "lint:counts")) == many and len(looked_at) == 20


def test_who_takes_the_candidates_slowly_keeps_nobody_from_writing(tmp_path: Path):
    thread = document(1)
    space = settled(workspace(tmp_path, *({**thread, "id": f"same_{number}"} for number in range(5))))

    def written(other: FindingsCache) -> bool:
        other.put(["same_4"], [])
        return other.lasting

    def slowly(cache: FindingsCache) -> list[str]:
        assert bring_up_to_date(cache, space, summaries(space))
        alike = cache.alike()
        first, _ = next(alike)
        assert with_findings_cache(space, written, busy_seconds=0.0)
        return [first, *(stem for stem, _ in alike)]

    assert with_findings_cache(space, slowly, at_once=2) == [f"same_{number}" for number in range(4)]


def test_a_filter_that_is_broken_off_selects_nothing_and_says_so(tmp_path: Path):
    space = workspace(tmp_path, spoiled(1))
    wanted = parse("lint:counts", space)
    assert not wanted.prepare(summaries(space), cancelled=lambda: True)
    assert wanted.prepare(summaries(space)) and wanted.on_summary(summaries(space)[0])


def test_duplicates_are_selected_until_their_twin_goes(tmp_path: Path):
    first, same = twins()
    space = settled(workspace(tmp_path, first, same, document(3, session="c")))
    assert chosen(space, "lint:duplicates") == chosen(space, "lint:any") == [same["id"]]
    (space.threads / f"{first['id']}.json").unlink()
    assert chosen(space, "lint:duplicates") == [] and len(chosen(space, "lint:none")) == 2


def test_a_filter_on_duplicates_checks_them_against_the_whole_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    first, same = twins()
    workspace(tmp_path, first, same)
    options = ["check", "--json", "--workspace", str(tmp_path), "--filter", "lint:duplicates"]
    assert run_command(options) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["checked"] == 1 and printed["counts"] == {"duplicates": 1}


def test_files_that_are_gone_are_forgotten(tmp_path: Path):
    space = settled(workspace(tmp_path, spoiled(1), spoiled(2)))
    with_findings_cache(space, lambda cache: look(cache, space))

    def only_the_first(cache: FindingsCache) -> tuple[list[str], list[str]]:
        cache.keep_only({spoiled(1)["id"]})
        return list(cache.checks()), list(cache.findings([spoiled(1)["id"], spoiled(2)["id"]]))

    assert with_findings_cache(space, only_the_first) == ([spoiled(1)["id"]],) * 2


def test_a_file_that_is_no_thread_is_found_as_such(tmp_path: Path):
    space = settled(workspace(tmp_path, document(1)))
    chosen(space, "lint:any")
    (space.threads / f"{document(1)['id']}.json").write_text("{")
    (space.threads / "v3.json").write_text("[]")
    assert len(chosen(space, "lint:file")) == len(chosen(space, "-lint:none")) == 2
    assert chosen(space, "lint:counts") == []


def test_a_name_that_is_no_text_does_no_harm(tmp_path: Path):
    space = workspace(tmp_path, document(1))
    odd = os.fsdecode(b"odd\xff")
    data = json.dumps(spoiled(2) | {"id": "odd"}).replace("A rhythm", "A \\ud800 rhythm 9.87 Hz")
    try:
        (space.threads / f"{odd}.json").write_text(data)
    except OSError:
        pytest.skip("this file system takes only names that are text")
    settled(space)
    for _ in range(2):
        assert odd in chosen(space, "lint:any")
