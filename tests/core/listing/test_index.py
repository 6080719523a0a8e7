from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from msgspec import structs

from core.cli.list import command
from core.listing import index, index_cache
from core.listing.order import SORTS, arrange, as_rows
from core.listing.summaries import Summaries
from core.listing.summary import look, summarize
from core.storage import store
from core.storage.watch import watch_folder
from core.thread.summary import Summary, summary_of
from core.thread.turns import broken_calls
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "threads").mkdir()
    return open_workspace(str(tmp_path))


def document(stem: str = "a_v4_0001", **metadata: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "spectrum", "arguments": "{}"}}
    return {
        "id": stem,
        "metadata": {"dataset": "d", "session": "s", "ground_truth": "walking", "user_query": "what?", **metadata},
        "messages": [
            {"role": "user", "content": "User Query: what?"},
            {"role": "assistant", "content": "look", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "name": "spectrum", "content": {"an": "object"}, "stale": True},
            {"role": "assistant", "content": "so\n\nConfidence: low\nFinal Answer: Walk", "tool_calls": None},
        ],
    }


def put(space: Workspace, value: Any, stem: str = "a_v4_0001") -> Path:
    path = space.threads / f"{stem}.json"
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def test_a_summary_is_counted_from_the_messages_not_taken_from_the_metadata(space: Workspace):
    put(space, document(num_turns=99, status="active", is_correct=False, tags=["x"], review={"verdict": "skip"}))
    summary = summarize(space.threads, "a_v4_0001")
    assert (summary.turns, summary.calls, summary.responds, summary.status) == (2, 1, 0, "finished")
    assert (summary.answer, summary.correct, summary.confidence) == ("Walk", True, "low")
    assert (summary.tools_used, summary.stale, summary.tags, summary.verdict) == (("spectrum",), 1, ("x",), "skip")
    assert summary.shape == "v4" and not summary.problem


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"tags": "not a list", "review": 3, "max_turns": "many", "branched_at": 1.5, "dataset": 7},
        {"parent_id": "b", "branched_at": 2, "model": "m", "max_turns": 1},
        {"ground_truth": None, "user_query": None, "created_at": None},
        {"max_turns": -1, "user_query": "ü" * 900},
        {"confidence": "high"},
        {"confidence": ["high"]},
    ],
)
@pytest.mark.parametrize("messages", [0, 2, 3, 4])
def test_odd_metadata_and_any_end_are_summed_up_alike_from_file_and_value(
    space: Workspace, change: dict[str, Any], messages: int
):
    value = document(**change)
    value["messages"] = value["messages"][:messages]
    put(space, value)
    quick = summarize(space.threads, "a_v4_0001")
    slow = summary_of(Thread(value), "a_v4_0001", quick.size, quick.mtime_ns)
    assert structs.replace(quick, ready=False, keys=0) == slow


@pytest.mark.parametrize("seed", range(20))
def test_a_thread_is_ready_exactly_when_every_call_is_answered_at_once(space: Workspace, seed: int):
    chance = random.Random(seed)

    def message() -> dict[str, Any]:
        ids = chance.choices(("", "a", "b", "c"), (1, 9, 9, 9), k=chance.choice((0, 0, 1, 1, 2)))
        calls = [{"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}} for call_id in ids]
        role = chance.choice(("assistant", "tool", "tool", "user"))
        if role == "tool":
            return {"role": role, "tool_call_id": chance.choice(("", "a", "b", "c")), "name": "f", "content": "{}"}
        return {"role": role, "content": "so", "tool_calls": calls if role == "assistant" else None}

    seen: set[bool] = set()
    for _ in range(300):
        value = {**document(), "messages": [message() for _ in range(chance.randint(0, 5))]}
        put(space, value)
        seen_file = look(space.threads, "a_v4_0001")
        assert seen_file.thread and seen_file.line
        seen.add(seen_file.summary.ready)
        assert seen_file.summary.ready is not bool(broken_calls(seen_file.thread.messages)), value["messages"]
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("data", "shape", "reason"),
    [
        (b"", "other", "empty"),
        (b'{"id": "a",\n "messages": [', "other", "line 2"),
        (b"[1, 2]", "other", "a list"),
        (b'{"a": 1}', "other", "no thread"),
        (b'{"id": "a", "metadata": {}, "messages": [{"role": "user", "content": "\xff"}]}', "other", "UTF-8"),
        (b'{"thread_id": "a", "schema_version": "3.0", "conversation": []}', "v3", "migrate"),
        (b'{"id": "a", "metadata": {}, "messages": ' + b"[" * 100_000, "other", "deep"),
        (b'{"id": "", "metadata": {}, "messages": []}', "other", "`id`"),
    ],
)
def test_what_is_no_thread_is_listed_with_its_reason(space: Workspace, data: bytes, shape: str, reason: str):
    put(space, data)
    summary = summarize(space.threads, "a_v4_0001")
    assert summary.shape == shape and reason in summary.problem and summary.problem.startswith("a_v4_0001.json")


def test_folders_links_and_odd_names_do_not_stop_the_list(space: Workspace):
    (space.threads / "folder.json").mkdir()
    (space.threads / "loop.json").symlink_to("loop.json")
    put(space, document(), "back\\slash")
    Path(os.fsdecode(os.fsencode(space.threads) + b"/\xff.json")).write_bytes(b"{")
    put(space, document())
    summaries = {summary.stem: summary for summary in index.summaries(space)}
    assert len(summaries) == 5
    assert [stem for stem, summary in summaries.items() if not summary.problem] == ["a_v4_0001"]
    assert {summary.stem for summary in index.summaries(space)} == set(summaries)


def test_a_scan_reads_only_what_changed(space: Workspace):
    for number in range(5):
        path = put(space, document(), f"t{number}")
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))
    index.summaries(space)
    put(space, document(ground_truth="sitting"), "t3")
    (space.threads / "t1.json").unlink()
    (changes,) = index.scan(space.threads, *index_cache.load(space))
    assert (changes.read, [summary.stem for summary in changes.changed], changes.gone) == (1, ["t3"], ("t1",))
    summaries = {summary.stem: summary for summary in index.summaries(space)}
    assert set(summaries) == {"t0", "t2", "t3", "t4"} and summaries["t3"].truth == "sitting"


def test_a_change_of_the_same_size_in_the_same_tick_is_not_missed(space: Workspace):
    path = put(space, document(ground_truth="sitting"))
    index.summaries(space)
    stat = path.stat()
    put(space, document(ground_truth="walking"))
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert [summary.truth for summary in index.summaries(space)] == ["walking"]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b'{"version": 99}\n', b"\xff\xfe\n"])
def test_a_damaged_cache_is_no_more_than_no_cache(space: Workspace, damage: bytes):
    put(space, document())
    index.summaries(space)
    cache = space.private / "index.cache"
    for data in (damage, cache.read_bytes()[:-7]):
        cache.write_bytes(data)
        assert [summary.truth for summary in index.summaries(space)] == ["walking"]


def test_what_a_killed_program_left_of_the_cache_goes_once_it_is_old(space: Workspace):
    (space.threads / "a_v4_0001.json").write_text(json.dumps(document()))
    index.summaries(space)
    old, fresh = (space.private / f".index.cache.{digit * 12}.tmp" for digit in "0f")
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    (space.threads / "a_v4_0002.json").write_text(json.dumps(document("a_v4_0002")))
    index.summaries(space)
    assert not old.exists() and fresh.exists()


def test_saving_the_index_for_which_there_is_no_time_left_loses_no_more_than_the_rest(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(index_cache, "BLOCK", 1)
    for number in range(4):
        put(space, document(f"a{number}"), f"a{number}")
    every = index.summaries(space)
    known = Summaries(every)
    cache = space.private / "index.cache"
    whole = cache.read_bytes()
    answers = [False, False, True]
    index_cache.save(space, known, 5, iter(answers).__next__)
    assert cache.read_bytes() == whole, "all that was known still is"
    cache.unlink()
    index_cache.save(space, known, 5, iter(answers).__next__)
    assert index_cache.load(space) == ({stem: known[stem] for stem in ("a0", "a1")}, 5)
    assert index.summaries(space) == every and not list(space.private.glob("*.tmp"))


def test_looking_changes_no_file(space: Workspace):
    path = put(space, b'{"id": "a_v4_0001", "metadata": {"dataset": "d"}, "messages": [], "mine": 1}')
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    index.summaries(space)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_rows_keep_their_threads_while_threads_change_come_and_go():
    known = Summaries([Summary("a"), Summary("b", id="b"), Summary("c", parent="b")])
    rows = as_rows(known, arrange(known.every(), "name"))
    known.drop("a")
    known.put(Summary("c", parent="b", truth="sitting"))
    known.put(Summary("d"))
    assert [(row.summary.stem, row.summary.truth, row.depth) for row in rows] == [
        ("a", "", 0), ("b", "", 0), ("c", "sitting", 1),
    ]  # fmt: skip
    assert [rows.index_of(stem) for stem in "abcd"] == [0, 1, 2, None]
    assert set(known) == {"b", "c", "d"} and [summary.stem for summary in known.every()] == ["b", "c", "d"]
    known.put(Summary("a", truth="walking"))
    assert rows[0].summary.truth == "walking" and "a" in known, "a thread that comes back has its old number"


def test_branches_stand_under_their_parent_even_when_they_name_each_other():
    rows = [Summary("a", id="a"), Summary("b", id="b", parent="a"), Summary("c", id="c", parent="b")]
    assert [(row.summary.stem, row.depth) for row in arrange(rows, "name")] == [("a", 0), ("b", 1), ("c", 2)]
    circle = [Summary("x", id="x", parent="y"), Summary("y", id="y", parent="x"), Summary("z", id="z", parent="z")]
    assert {row.summary.stem for row in arrange([*rows, *circle], "name")} == {"a", "b", "c", "x", "y", "z"}
    rows_left = arrange(rows, "name", lambda summary: summary.stem != "a")
    assert [(row.summary.stem, row.depth) for row in rows_left] == [("b", 0), ("c", 1)]


def test_an_order_can_be_turned_round():
    rows = [Summary("a", turns=2), Summary("b", turns=9)]
    assert [row.summary.stem for row in arrange(rows, "turns")] == ["b", "a"]
    assert [row.summary.stem for row in arrange(rows, "turns", turned=True)] == ["a", "b"]


@pytest.mark.parametrize("sort", SORTS)
def test_every_sort_orders_anything(sort: str):
    rows = [Summary("a", problem="broken"), Summary("b", correct=True, turns=3), Summary("c", created="2026")]
    assert {row.summary.stem for row in arrange(rows, sort)} == {"a", "b", "c"}


@pytest.mark.parametrize("polling", [False, True])
def test_changes_are_told_whichever_way_they_are_written(space: Workspace, polling: bool):
    stop, told = threading.Event(), threading.Condition()
    seen: list[set[str] | None] = []

    def follow() -> None:
        for stems in watch_folder(space.threads, stop, polling=polling):
            with told:
                seen.append(stems)
                told.notify_all()

    def wait(condition: Callable[[], bool]) -> None:
        with told:
            assert told.wait_for(condition, 20), seen

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        wait(lambda: seen[:1] == [None])
        put(space, document(), "one")
        wait(lambda: any(stems and "one" in stems for stems in seen))
        store.create(space.threads, Thread(document("two")))
        wait(lambda: any(stems and "two" in stems for stems in seen))
        (space.threads / "note.txt").write_text("no thread")
        space.threads.rename(space.root / "elsewhere")
        space.threads.mkdir()
        wait(lambda: seen[-1] is None and len(seen) > 2)
        count = len(seen)
        wait(lambda: len(seen) > count or seen[-1] is None)
        put(space, document(), "three")
        wait(lambda: any(stems is None or "three" in stems for stems in seen[count - 1 :]))
        assert not any(stems and "note" in str(stems) for stems in seen)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def test_the_list_command_prints_rows_or_one_json_document(space: Workspace):
    put(space, document("a_v4_0001"))
    put(space, document("b_v4_0002", ground_truth="sitting", parent_id="a_v4_0001"), "b_v4_0002")
    put(space, b"{", "broken")
    options = ["--workspace", str(space.root)]
    shown = CliRunner().invoke(command, options).output.splitlines()
    assert "walking → Walk" in shown[0] and "right" in shown[0]
    assert shown[1].startswith("└ b_v4_0002") and "WRONG" in shown[1]
    assert "not readable" in shown[2]
    assert shown[3] == "3 threads, 2 finished, 1 not readable"
    chosen = json.loads(CliRunner().invoke(command, [*options, "--filter", "correct:true", "--json"]).output)
    assert [(row["stem"], row["turns"], row["tools_used"]) for row in chosen] == [("a_v4_0001", 2, ["spectrum"])]
    assert set(chosen[0]) == set(msgspec.structs.asdict(Summary("x")))
