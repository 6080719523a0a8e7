"""Packs: threads that are no files any more, and all that is done with them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core import curate
from core.cli.cat import command as cat_command
from core.cli.list import command as list_command
from core.cli.pack import command as pack_command
from core.cli.unpack import command as unpack_command
from core.curate import packing
from core.curate.packing import pack, unpack
from core.errors import ConflictError, SensorloomError, ThreadError
from core.export.report import ExportRequest
from core.export.run import export
from core.filters.language import parse, select
from core.listing import index
from core.listing.index import summaries
from core.storage import history, pack_file, packed, store, thread_files
from core.storage.packed_in_order import InOrder
from core.storage.watch import watch_folder
from core.workspace import Workspace, open_workspace

STEMS = [f"a_v4_{number:04d}" for number in range(6)]


def document(stem: str, *, finished: bool = True) -> dict[str, Any]:
    answer = {"role": "assistant", "content": f"of {stem}: é\n\nConfidence: low\nFinal Answer: walking"}
    return {
        "id": stem,
        "metadata": {
            "dataset": "d", "session": "s", "ground_truth": "walking", "user_query": "what?",
            "status": "finished" if finished else "active", "of": [[], {}, 1e5],
        },
        "messages": [{"role": "user", "content": "User Query: what?"}, *([answer] if finished else [])],
    }  # fmt: skip


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "threads").mkdir()
    space = open_workspace(str(tmp_path), environ={})
    for number, stem in enumerate(STEMS):
        text = json.dumps(document(stem, finished=number != 5), indent=2, ensure_ascii=False) + "\n"
        path = space.threads / f"{stem}.json"
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return space


def files(space: Workspace) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in space.threads.glob("*.json")}


def everything(space: Workspace) -> dict[str, bytes]:
    """Each thread's bytes as the product reads them."""
    stems = thread_files.stems(space.threads)
    assert len(stems) == len(set(stems))
    return {stem: thread_files.read_bytes(thread_files.path_of(space.threads, stem)) for stem in stems}


def run(command: Any, space: Workspace, *arguments: str) -> str:
    done = CliRunner().invoke(command, [*arguments, "--workspace", str(space.root)], standalone_mode=False)
    assert done.exception is None and not done.return_value, (done.exception, done.output)
    return done.output


def packs(space: Workspace) -> list[Path]:
    return sorted(space.threads.glob("packs/*.jsonl.zst"))


def test_packed_threads_are_listed_filtered_read_and_exported_as_before(space: Workspace):
    before, listed = files(space), run(list_command, space, "--json")
    known, exported = summaries(space), export(space, ExportRequest())
    assert "packed: 5 threads into 1 file of threads/packs" in run(pack_command, space, "--filter", "status:finished")
    assert files(space).keys() == {STEMS[5]} and everything(space) == before
    assert run(list_command, space, "--json") == listed, "sizes and times are those of the files"
    assert len(list(select(space.threads, summaries(space), parse(f'"of {STEMS[2]}"', space)))) == 1
    again = export(space, ExportRequest())
    rows = [sorted(path.path.read_bytes().splitlines()) for path in (*exported.files, *again.files)]
    assert rows[0] == rows[1] and len(rows[0]) == 5
    assert parse("exported:exported", space).on_summary(known[0]), "what left as a file has left"


@pytest.mark.parametrize("asked", [ExportRequest(), ExportRequest(call_ids="neutral"), ExportRequest("hf")])
def test_what_leaves_of_a_packed_thread_is_what_left_of_its_file(space: Workspace, asked: ExportRequest):
    layouts: list[dict[str, Any]] = [{}, {"indent": 4}, {"separators": (",", ":")}, {"indent": 1}]
    for stem, layout in zip(STEMS[1:5], layouts, strict=True):
        (space.threads / f"{stem}.json").write_text(json.dumps(document(stem), **layout), encoding="ascii")
        os.utime(space.threads / f"{stem}.json", (1_700_000_000, 1_700_000_000))
    sums = {stem: sha256(data).hexdigest() for stem, data in files(space).items()}
    left = export(space, asked)
    run(pack_command, space, *STEMS)
    assert not files(space)
    leaves = export(space, asked)
    assert leaves.exported == 5 and leaves.files[0].path.read_bytes() == left.files[0].path.read_bytes()
    for report in (left, leaves):
        threads = json.loads(report.files[0].path.with_suffix(".manifest.json").read_bytes())["threads"]
        assert {each["stem"]: each["sha256"] for each in threads} == {stem: sums[stem] for stem in STEMS[:5]}


def test_cat_writes_files_and_packs_alike(space: Workspace):
    run(pack_command, space, STEMS[1], STEMS[3])
    lines = [json.loads(line) for line in run(cat_command, space, "--all").splitlines()]
    assert lines == [document(stem, finished=stem != STEMS[5]) for stem in STEMS]
    assert json.loads(run(cat_command, space, STEMS[3]))["id"] == STEMS[3]
    assert run(cat_command, space, "--filter", "status:active").count("\n") == 1


def test_without_a_choice_what_is_finished_and_judged_is_packed(space: Workspace):
    assert "packed: 0 threads; none is `status:finished verdict:any`" in run(pack_command, space)
    curate.set_verdicts(space, [STEMS[0], STEMS[5]], "accept")
    assert run(pack_command, space, "--dry-run").splitlines()[0] == STEMS[0] and not packs(space)
    run(pack_command, space)
    assert files(space).keys() == set(STEMS[1:])


def test_an_edit_writes_the_file_which_counts_and_undo_goes_back_to_before_the_pack(space: Workspace):
    original = files(space)[STEMS[0]]
    curate.set_verdicts(space, STEMS[:1], "accept")
    accepted = files(space)[STEMS[0]]
    pack(space, STEMS)
    curate.set_verdicts(space, STEMS[:1], "reject")
    assert files(space).keys() == {STEMS[0]} and everything(space)[STEMS[0]] == files(space)[STEMS[0]] != accepted
    assert [summary.verdict for summary in summaries(space)][:2] == ["reject", ""]
    curate.undo(space, STEMS[0])
    assert everything(space)[STEMS[0]] == accepted
    curate.undo(space, STEMS[0])
    assert everything(space)[STEMS[0]] == original
    assert [step.what for step in history.read(space, STEMS[0]).steps if step.kind == "outside"] == []


def test_packing_again_supersedes_and_nothing_stands_twice(space: Workspace):
    pack(space, STEMS)
    curate.set_verdicts(space, STEMS[:2], "accept")
    edited = files(space)
    pack(space, STEMS)
    assert not files(space) and len(packs(space)) == 2
    assert {stem: everything(space)[stem] for stem in edited} == edited
    assert [summary.stem for summary in summaries(space)] == STEMS
    curate.set_verdicts(space, STEMS[:], "skip")
    pack(space, STEMS)
    assert len(packs(space)) == 1, "packs in which nothing counts any more are removed"


def test_a_deleted_thread_is_gone_from_files_and_packs_and_comes_back(space: Workspace):
    before = files(space)
    pack(space, STEMS)
    curate.set_verdicts(space, STEMS[:1], "accept")  # has a file and stands in a pack
    accepted = files(space)[STEMS[0]]
    curate.delete(space, STEMS[:2])
    assert everything(space).keys() == set(STEMS[2:]) and not files(space)
    assert [summary.stem for summary in summaries(space)] == STEMS[2:]
    assert not thread_files.exists(space.threads, STEMS[0])
    curate.undo_latest(space)
    assert everything(space) == {**before, STEMS[0]: accepted}
    curate.redo_latest(space)
    curate.restore(space, STEMS[:1])
    assert everything(space) == {
        stem: accepted if stem == STEMS[0] else before[stem] for stem in (STEMS[0], *STEMS[2:])
    }
    pack(space, STEMS)
    assert everything(space)[STEMS[0]] == accepted, "packed again after it was gone, it is there"


def test_threads_of_several_packs_are_found_in_the_order_of_their_names_as_each_for_itself(space: Workspace):
    pack(space, STEMS[::2])
    pack(space, STEMS[1::2])
    (space.threads / f"{STEMS[2]}.json").write_bytes(
        store.read(space.threads, STEMS[2]).data.replace(b"walking", b"sitting")
    )
    pack(space, [STEMS[2]])
    curate.delete(space, [STEMS[3]])
    everyone = thread_files.packs_in(space.threads)
    assert everyone is not None and len(everyone.packs) == 3
    in_order, asked = InOrder(everyone), [*STEMS, "\udcff", "zzz", STEMS[4], STEMS[0]]
    listed = [in_order.find(stem) for stem in asked]
    assert listed == [everyone.find(stem) for stem in asked]
    assert [in_pack is None for in_pack in listed] == [stem == STEMS[3] or stem not in STEMS for stem in asked]


def test_all_packs_gone_and_new_ones_later_hold_what_is_packed_then(space: Workspace):
    before = files(space)
    for _ in range(2):
        pack(space, STEMS)
        curate.delete(space, STEMS[:1])
        unpack(space, STEMS)
        assert not packs(space)
        curate.undo_latest(space)
        pack(space, STEMS)
        assert everything(space) == before
        unpack(space, STEMS)


def test_a_pack_that_a_person_named_does_not_stand_before_what_is_packed_later(space: Workspace):
    pack(space, STEMS[:2])
    packs(space)[0].rename(space.threads / "packs" / "subjects.jsonl.zst")
    curate.delete(space, [STEMS[0]])
    curate.undo_latest(space)
    edited = files(space)[STEMS[0]].replace(b"low", b"high")
    (space.threads / f"{STEMS[0]}.json").write_bytes(edited)

    pack(space, [STEMS[0]])

    assert not (space.threads / f"{STEMS[0]}.json").exists()
    assert everything(space)[STEMS[0]] == edited


def test_another_pack_of_the_same_size_in_the_place_of_one_is_read_anew(space: Workspace):
    path = space.threads / f"{STEMS[0]}.json"
    original = path.read_bytes()
    path.unlink()

    def pack_of(word: bytes) -> tuple[bytes, bytes]:
        data = original.replace(b"walking", word)
        thread = pack_file.packed(STEMS[0], data, 1_700_000_000_000_000_000)
        assert thread is not None
        return data, b"".join(pack_file.pieces([thread]))

    first, *others = map(pack_of, (b"walking", b"walkgin", b"walknig", b"walkgni", b"walkong", b"walkxyz", b"jogging"))
    target = packed.next_path(space.threads)
    target.parent.mkdir()
    for data, content in (first, next(other for other in others if len(other[1]) == len(first[1]))):
        (space.root / "copy").write_bytes(content)
        (space.root / "copy").rename(target)
        assert thread_files.read_bytes(path) == data


def test_an_id_in_a_pack_is_not_given_again(space: Workspace):
    pack(space, STEMS)
    assert store.new_id(space.threads, "a", "", numbers=store.HighestNumbers()).endswith("_0006")
    with pytest.raises(ConflictError, match="exists already"):
        store.create(space.threads, store.read(space.threads, STEMS[0]).thread)


def test_unpack_makes_the_same_files_with_the_same_times(space: Workspace):
    before = files(space)
    times = {path.name: path.stat().st_mtime_ns for path in space.threads.glob("*.json")}
    pack(space, STEMS)
    assert "unpacked: 1 thread\n" in run(unpack_command, space, STEMS[3])
    assert "unpacked: 0 threads; 1 of those chosen was a file already\n" in run(unpack_command, space, STEMS[3])
    assert files(space) == {STEMS[3]: before[STEMS[3]]} and everything(space) == before
    (space.threads / f"{STEMS[3]}.json").unlink()
    assert STEMS[3] not in everything(space), "once unpacked, the file is all there is of it"
    assert "5 threads; 1 pack removed" in run(unpack_command, space)
    assert {path.name: path.stat().st_mtime_ns for path in space.threads.glob("*.json")}.items() < times.items()


@pytest.mark.parametrize("layout", [{"indent": 4}, {"indent": None}, {"separators": (",", ":")}, {"indent": 1}])
def test_files_in_another_layout_come_back_as_they_were(space: Workspace, layout: dict[str, Any]):
    path = space.threads / f"{STEMS[0]}.json"
    path.write_text(json.dumps(document(STEMS[0]), **layout))
    before = files(space)
    assert len(pack(space, STEMS).threads) == 6 and everything(space) == before


def test_what_could_not_be_given_back_stays_a_file_and_is_named(space: Workspace):
    path = space.threads / f"{STEMS[0]}.json"
    path.write_text(json.dumps(document(STEMS[0]), indent=2).replace('": ', '":  '))
    (space.threads / "rows.jsonl").write_text('{"a": 1}')
    done = pack(space, [*STEMS, "rows.jsonl"])
    assert (space.threads / "rows.jsonl").exists()
    assert len(done.threads) == 5 and done.problems[0].startswith(f"{STEMS[0]}.json: stays a file")
    assert files(space).keys() == {STEMS[0]}


def test_a_program_that_is_killed_at_any_moment_loses_nothing(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before = files(space)
    left = [0]

    def dies(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return function(*arguments, **named)

        return call

    for name in ("unlink", "rename", "replace", "mkdir"):
        monkeypatch.setattr(Path, name, dies(getattr(Path, name)))
    monkeypatch.setattr(os, "fsync", dies(os.fsync))
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
            assert everything(space) == before, f"{work.__name__}, moment {moment}"
            assert [summary.stem for summary in summaries(space)] == STEMS
        assert moment > 5


def test_what_changes_or_goes_while_it_is_packed_is_not_overtaken(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before = files(space)
    read_back = packing._read_back  # pyright: ignore[reportPrivateUsage]

    def meanwhile(*arguments: Any) -> None:
        curate.set_verdicts(space, STEMS[:1], "accept")
        curate.delete(space, STEMS[1:2])
        read_back(*arguments)

    monkeypatch.setattr(packing, "_read_back", meanwhile)
    pack(space, STEMS)
    assert files(space).keys() == {STEMS[0]} and everything(space)[STEMS[0]] != before[STEMS[0]]
    assert everything(space).keys() == set(STEMS) - {STEMS[1]}
    curate.undo_latest(space)
    assert everything(space)[STEMS[1]] == before[STEMS[1]]


def test_what_is_unpacked_while_it_is_looked_for_is_there(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before = files(space)
    usual = thread_files.packs_in

    def unpacked_first(folder: Path | str) -> Any:
        monkeypatch.setattr(thread_files, "packs_in", usual)
        unpack(space, STEMS)
        return usual(folder)

    path = thread_files.path_of(space.threads, STEMS[0])
    looks: list[Callable[[], Any]] = [
        lambda: thread_files.exists(space.threads, STEMS[0]),
        lambda: thread_files.stems(space.threads) == STEMS,
        lambda: thread_files.read_bytes(path) == before[STEMS[0]],
        lambda: thread_files.thread_stamp(space.threads, STEMS[0])[0] == len(before[STEMS[0]]),
    ]
    for look in looks:
        pack(space, STEMS)
        monkeypatch.setattr(thread_files, "packs_in", unpacked_first)
        assert look()


def test_what_is_deleted_while_it_is_packed_stays_deleted_where_packing_is_killed(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    before, rename = files(space), Path.rename

    def killed_after(self: Path, target: Path) -> None:
        monkeypatch.setattr(Path, "rename", rename)
        curate.delete(space, STEMS[1:3])  # by another program
        self.rename(target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed_after)
    with pytest.raises(KeyboardInterrupt):
        pack(space, STEMS)
    left = {stem: before[stem] for stem in STEMS if stem not in STEMS[1:3]}
    assert everything(space) == left
    curate.undo_latest(space)
    assert everything(space) == before
    pack(space, STEMS)
    assert everything(space) == before and not files(space)


def test_what_was_deleted_does_not_show_while_the_last_pack_goes(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    pack(space, STEMS)
    curate.delete(space, STEMS[:1])
    usual = packed.open_pack

    def unpacked_after(path: Path) -> Any:
        monkeypatch.setattr(packed, "open_pack", usual)
        opened = usual(path)
        unpack(space, STEMS)  # by another program, with what is known of what is gone
        return opened

    monkeypatch.setattr(packed, "open_pack", unpacked_after)
    packed._loaded.clear()  # pyright: ignore[reportPrivateUsage] - a program that has not looked yet
    assert not thread_files.exists(space.threads, STEMS[0])
    assert everything(space).keys() == set(STEMS[1:]) and not packs(space)


def test_a_disk_that_gives_back_something_else_costs_no_file(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before = files(space)
    monkeypatch.setattr(pack_file.Pack, "is_whole", lambda self, row: row != 2)
    with pytest.raises(SensorloomError, match="does not give back what was written"):
        pack(space, STEMS)
    assert files(space) == before and not packs(space)


def test_damage_in_a_block_is_told_of_its_threads_and_the_others_are_read(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    before = files(space)
    monkeypatch.setattr(pack_file, "BLOCK_BYTES", 500)
    pack(space, STEMS)
    (path,) = packs(space)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x28\xb5\x2f\xfd") + 60  # within the first block, of the first two threads
    data[at : at + 8] = bytes(8)
    path.write_bytes(data)
    with pytest.raises(ThreadError, match=r"pack-000001-\w+.jsonl.zst: the pack is damaged where this thread is; put"):
        store.read(space.threads, STEMS[0])
    problems = [summary.problem for summary in summaries(space)]
    assert [bool(problem) for problem in problems] == [True, True, False, False, False, False]
    assert everything_but(space, 2) == {stem: before[stem] for stem in STEMS[2:]}


def everything_but(space: Workspace, first: int) -> dict[str, bytes]:
    stems = thread_files.stems(space.threads)[first:]
    return {stem: thread_files.read_bytes(thread_files.path_of(space.threads, stem)) for stem in stems}


def test_a_pack_whose_end_is_lost_is_read_as_far_as_it_goes(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    before = files(space)
    monkeypatch.setattr(pack_file, "BLOCK_BYTES", 500)
    pack(space, STEMS)
    (path,) = packs(space)
    whole = path.read_bytes()

    def put(data: bytes) -> None:
        path.with_suffix(".copied").write_bytes(data)
        path.with_suffix(".copied").replace(path)

    put(whole[: whole.rindex(b"\x28\xb5\x2f\xfd") + 20])
    assert everything(space) == {stem: before[stem] for stem in STEMS[:4]}
    (told,) = [summary.problem for summary in summaries(space) if summary.problem]
    assert "the end of this pack is lost, 4 threads of it can be read" in told
    unpack(space, STEMS)
    assert path.exists(), "what is left of it may be mended yet"
    for gone in (*space.threads.glob("*.json"), space.threads / "packs" / "gone.jsonl"):
        gone.unlink()
    put(whole[:10])
    (broken,) = summaries(space)
    with pytest.raises(ThreadError, match="a pack that cannot be read"):
        store.read(space.threads, path.name)
    assert broken.stem == path.name and broken.problem.endswith("put a whole copy of it in its place")
    put(whole)
    assert everything(space) == before
    assert not any(summary.problem for summary in summaries(space)), "once it is whole again nothing is remembered"


def test_packs_that_come_after_the_last_ones_went_are_watched_too(space: Workspace):
    def again() -> None:
        unpack(space, STEMS)
        pack(space, STEMS)

    def renamed() -> None:
        (pack_path,) = packs(space)
        pack_path.rename(pack_path.with_name("renamed.jsonl.zst"))

    stop = threading.Event()
    todo: list[Callable[[], object]] = [lambda: pack(space, STEMS), again, renamed, stop.set]
    for stems in watch_folder(space.threads, stop):
        if stems is None and todo:
            todo.pop(0)()
    assert not todo


def test_packing_elsewhere_is_told_to_a_running_program(space: Workspace):
    known = {summary.stem: summary for summary in summaries(space)}
    told: list[bool] = []
    stop = threading.Event()
    for stems in watch_folder(space.threads, stop):
        if stems is None:
            told.append(True)
            changes = list(index.scan(space.threads, known))[-1]
        else:
            changes = index.rescan(space.threads, known, stems)
        assert not changes.changed and not changes.gone, "packing changes no thread"
        if len(told) == 1:
            pack(space, STEMS)
        elif packs(space) and not files(space):
            stop.set()
    assert len(told) > 1
