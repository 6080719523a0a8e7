"""Histories of packed threads, which are packed with them, and all that is done with them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.cli.history import command as history_command
from core.cli.pack import command as pack_command
from core.curate import packing
from core.curate.packing import pack, packed_stems, unpack
from core.curate.undoing import next_step
from core.errors import SensorloomError
from core.listing.index import summaries
from core.storage import history, history_files, history_packing, packed, store
from core.storage.carrying import pick_up
from core.storage.history import ThreadStep
from core.workspace import Workspace, open_workspace
from tests.core.curate.test_packing import STEMS, document, everything, files, run


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """Six threads: all accepted, the first three rejected since, of which the third was taken back."""
    (tmp_path / "threads").mkdir()
    space = open_workspace(str(tmp_path), environ={})
    for stem in STEMS:
        (space.threads / f"{stem}.json").write_text(json.dumps(document(stem), indent=2) + "\n")
    curate.set_verdicts(space, STEMS, "accept")
    for stem in STEMS[:3]:
        curate.set_verdicts(space, [stem], "reject")
    curate.undo(space, STEMS[2])
    return space


def history_of_all(space: Workspace) -> dict[str, bytes]:
    """The bytes of the files of histories."""
    return {path.name: path.read_bytes() for path in history_files.folder(space).glob("a_*")}


def as_read(space: Workspace) -> dict[str, bytes]:
    """The same as the product reads them, from files and packs."""
    told: dict[str, bytes] = {}
    for stem in set(history_files.reserved(space)):
        told[f"{stem}.log"] = history_files.read_log(space, stem)
        with history_files.open_states(space, stem) as states:
            told[f"{stem}.pack"] = states.read()
    return told


def packs(space: Workspace) -> list[Path]:
    return sorted(history_files.folder(space).glob("packs/*.jsonl.zst"))


def steps(space: Workspace, stem: str) -> list[str]:
    return [f"{step.number} {step.kind} {step.what}" for step in history.read(space, stem).steps]


def test_packed_histories_are_read_as_files_are(space: Workspace):
    def told() -> list[Any]:
        return [
            [run(history_command, space, stem, "--json") for stem in STEMS],
            sorted(map(_row, history.recent(space, 50))),
            (history.latest(space), history.latest_undone(space)),
            [history.content(space, stem, str(history.read(space, stem).steps[0].before)) for stem in STEMS],
            sorted(history_files.reserved(space)),
            [pick_up(space, stem) for stem in STEMS],
        ]

    before, raw = told(), history_of_all(space)
    assert "; 6 histories into 1 file, " in run(pack_command, space, *STEMS)
    assert not history_of_all(space) and len(packs(space)) == 1
    assert told() == before and as_read(space) == raw
    assert [row.stem for row in history.recent(space, 2)] == [STEMS[2]] * 2, "the newest first"


def _row(row: ThreadStep) -> tuple[str, int, bool | None]:
    return row.stem, row.step.number, row.in_force


def test_a_step_of_a_packed_thread_goes_on_with_its_history_and_is_packed_again(space: Workspace):
    pack(space, STEMS)
    curate.set_verdicts(space, STEMS[:1], "skip")
    curate.undo(space, STEMS[1])
    curate.redo(space, STEMS[2])
    accepted = ["1 done verdict accept", "2 done verdict reject"]
    expected = [
        [*accepted, "3 done verdict skip"],
        [*accepted, "3 undo verdict reject"],
        [*accepted, "3 undo verdict reject", "4 redo verdict reject"],
    ]
    assert [steps(space, stem) for stem in STEMS[:3]] == expected
    assert {name[:9] for name in history_of_all(space)} == set(STEMS[:3])
    pack(space, STEMS)
    assert not history_of_all(space) and [steps(space, stem) for stem in STEMS[:3]] == expected
    undone = curate.undo(space, STEMS[0])
    assert undone.sentence == "undid: verdict skip" and steps(space, STEMS[0])[-1] == "4 undo verdict skip"
    curate.set_verdicts(space, STEMS, "skip")
    pack(space, STEMS)
    assert len(packs(space)) == 1, "packs in which nothing counts any more are removed"


def test_unpacked_they_are_the_same_files_and_no_folder_of_packs_is_left(space: Workspace):
    for number, log in enumerate(sorted(history_files.folder(space).glob("a_*"))):
        os.utime(log, (1_700_000_000 + number, 1_700_000_000 + number))
    before = history_of_all(space), files(space)
    times = {path.name: path.stat().st_mtime_ns for path in history_files.folder(space).glob("a_*.log")}
    pack(space, STEMS)
    unpack(space, STEMS[:2])
    assert {name[:9] for name in history_of_all(space)} == set(STEMS[:2]) and len(as_read(space)) == 12
    unpack(space, packed_stems(space))
    assert (history_of_all(space), files(space)) == before
    assert {path.name: path.stat().st_mtime_ns for path in history_files.folder(space).glob("a_*.log")} == times
    assert not (space.threads / "packs").exists() and not (history_files.folder(space) / "packs").exists()


def test_what_was_deleted_keeps_its_history_and_what_never_was_keeps_none(space: Workspace):
    pack(space, STEMS)
    curate.delete(space, STEMS[:1])
    unpack(space, packed_stems(space))
    assert steps(space, STEMS[0])[-1] == "3 done deletion" and STEMS[0] in history_files.reserved(space)
    curate.undo(space, STEMS[0])
    pack(space, STEMS)
    assert steps(space, STEMS[0])[-1] == "4 undo deletion"
    history_files.forget(space, STEMS[0])
    assert not steps(space, STEMS[0]) and STEMS[0] not in history_files.reserved(space)
    assert len(as_read(space)) == 10


def dying(monkeypatch: pytest.MonkeyPatch, left: list[int]) -> None:
    """The program is killed at the call of the disk that `left` counts down to."""

    def dies(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return function(*arguments, **named)

        return call

    for name in ("unlink", "rename", "replace", "mkdir", "rmdir"):
        monkeypatch.setattr(Path, name, dies(getattr(Path, name)))
    for name in ("fsync", "utime"):
        monkeypatch.setattr(os, name, dies(getattr(os, name)))


def test_killed_at_any_moment_packing_loses_no_history(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before, raw, left = everything(space), history_of_all(space), [0]
    dying(monkeypatch, left)
    for work in (pack, unpack):
        moment, ended = 0, False
        while not ended:
            moment += 1
            left[0] = moment
            try:
                work(space, STEMS)
                ended = left[0] > 0
            except KeyboardInterrupt:
                pass
            left[0] = 0
            assert as_read(space) == raw, f"{work.__name__}, moment {moment}"
            assert everything(space) == before
        assert moment > 10
    assert history_of_all(space) == raw


def test_killed_at_any_moment_a_step_of_a_packed_thread_loses_none(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    left = [0]
    dying(monkeypatch, left)
    for moment in range(1, 20):
        pack(space, STEMS)
        before = steps(space, STEMS[0])
        left[0] = moment
        try:
            curate.set_verdicts(space, STEMS[:1], "accept" if moment % 2 else "reject", note=f"{moment}")
        except KeyboardInterrupt:
            pass
        left[0] = 0
        assert steps(space, STEMS[0])[: len(before)] == before, f"moment {moment}"
        for step in history.read(space, STEMS[0]).steps[:-1]:
            assert history.content(space, STEMS[0], str(step.after))
        next_step(space, STEMS[0])
        assert not [step for step in steps(space, STEMS[0]) if "outside" in step]


def test_a_step_while_its_history_is_packed_is_not_overtaken(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    read_back = packing._read_back  # pyright: ignore[reportPrivateUsage]

    def meanwhile(unnamed: Path, *arguments: Any) -> None:
        read_back(unnamed, *arguments)
        if "history" in unnamed.parts and not files(space):
            curate.set_verdicts(space, STEMS[:1], "skip")
            curate.delete(space, STEMS[1:2])

    monkeypatch.setattr(packing, "_read_back", meanwhile)
    pack(space, STEMS)
    assert {name[:9] for name in history_of_all(space)} == set(STEMS[:2])
    assert steps(space, STEMS[0])[-1] == "3 done verdict skip"
    monkeypatch.undo()
    pack(space, STEMS)
    assert steps(space, STEMS[0])[-1] == "3 done verdict skip" and steps(space, STEMS[1])[-1] == "3 done deletion"
    assert {name[:9] for name in history_of_all(space)} == {STEMS[1]}
    curate.undo_latest(space)
    assert everything(space).keys() == set(STEMS)


def test_what_a_pack_could_not_give_back_stays_files_and_is_named(space: Workspace):
    log, _ = history_files.files_of(space, STEMS[0])
    log.write_bytes(log.read_bytes() + b"\xff\xfe torn")
    done = pack(space, STEMS).histories
    assert done and done.problems == (
        f"{STEMS[0]}: its history stays files, since a pack could not give it back byte for byte",
    )
    assert {name[:9] for name in history_of_all(space)} == {STEMS[0]} and len(done.threads) == 5
    assert len(steps(space, STEMS[0])) == 2


def replaced(path: Path, data: bytes) -> None:
    path.with_suffix(".copied").write_bytes(data)
    path.with_suffix(".copied").replace(path)


def test_damage_in_a_block_costs_the_histories_in_it_until_a_whole_copy_is_there(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history_packing, "BLOCK_BYTES", 3000)
    raw = history_of_all(space)
    pack(space, STEMS)
    (path,) = packs(space)
    whole = path.read_bytes()
    data = bytearray(whole)
    at = data.index(b"\x28\xb5\x2f\xfd") + 60
    data[at : at + 8] = bytes(8)
    replaced(path, bytes(data))
    told = f"the history of {STEMS[0]} cannot be read: .sensorloom/history/packs/{path.name}: the pack is damaged"
    with pytest.raises(SensorloomError) as refused:
        history.read(space, STEMS[0])
    assert str(refused.value).startswith(told)
    bulk = curate.set_verdicts(space, STEMS, "skip")
    assert set(bulk.changed) == set(STEMS[2:]) and bulk.problems[0].startswith(told), "what is lost is not begun anew"
    problems = unpack(space, STEMS).histories
    assert problems and len(problems.problems) == 2 and path.exists() and everything(space).keys() == set(STEMS)
    replaced(path, whole)
    unpack(space, STEMS)
    assert {name: data for name, data in history_of_all(space).items() if name[:9] in STEMS[:2]}.items() <= raw.items()
    assert not packs(space)


def test_a_pack_that_cannot_be_read_is_named_and_no_history_is_begun_over_it(space: Workspace):
    raw = history_of_all(space)
    pack(space, STEMS[:4])
    (path,) = packs(space)
    whole = path.read_bytes()
    replaced(path, whole[:20])
    told = f".sensorloom/history/packs/{path.name}: a pack that cannot be read; put a whole copy of it in its place"
    bulk = curate.set_verdicts(space, STEMS, "skip")
    assert set(bulk.changed) == set(STEMS[4:]), "those that have files lose nothing by it"
    assert bulk.problems[0] == f"the history of {STEMS[0]} cannot be read: {told}"
    assert f"sensorloom: {told}" in run(history_command, space)
    again = pack(space, STEMS).histories
    assert again and again.problems == (told,) and len(again.threads) == 2
    replaced(path, whole)
    assert {name: data for name, data in as_read(space).items() if name[:9] in STEMS[:4]}.items() <= raw.items()
    assert len(as_read(space)) == 12


def test_packs_of_histories_are_not_read_before_they_are_needed(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    pack(space, STEMS)
    opened: list[Path] = []
    usual = packed.open_pack

    def noted(path: Path) -> Any:
        opened.append(path)
        return usual(path)

    monkeypatch.setattr(packed, "open_pack", noted)
    packed._loaded.clear()  # pyright: ignore[reportPrivateUsage]
    assert len(summaries(space)) == 6 and store.read(space.threads, STEMS[0])
    assert opened == list(space.threads.glob("packs/*.zst"))
