from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.commands import run_command
from core.datasets.held_out import Extent, roster
from core.errors import UsageError
from core.export.preview import candidates
from core.export.report import ExportRequest
from core.export.run import export
from core.export.split import parse_split
from core.filters.language import parse, select
from core.listing.index import summaries
from core.storage.splits_file import SplitBook, hold_out, read_book, release, write_book
from core.workspace import Workspace
from tests.core.export.threads import document, workspace


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """Three subjects, two sessions each; the first session of each has two threads. One more session has none."""
    documents = [
        document(10 * subject + number, session=f"train_{subject}_{number % 2}", truth="walking")
        for subject in (2, 3, 10)
        for number in (1, 2, 4)
    ]
    folder = tmp_path / "data" / "uci_har"
    (folder / "sessions").mkdir(parents=True)
    (folder / "manifest.json").write_text('{"dataset_name": "uci_har", "activities": ["walking"]}')
    (folder / "labels.json").write_text('{"train_2_0": ["walking"], "train_11_0": ["walking"]}')
    return workspace(tmp_path, *documents)


def test_names_are_those_of_datasets_and_threads_as_a_person_counts(space: Workspace):
    known = roster(space, summaries(space))
    assert list(known.names)[:6] == [
        "uci_har/subject:2", "uci_har/subject:3", "uci_har/subject:10", "uci_har/subject:11", "uci_har/train_2_0",
        "uci_har/train_2_1",
    ]  # fmt: skip
    assert known.extent(["uci_har/subject:2"]) == Extent(2, 3) and known.extent(["uci_har/train_11_0"]) == Extent(1, 0)
    assert known.extent(["uci_har/subject:2", "uci_har/train_2_*"]).text == "2 sessions, 3 threads"
    assert known.described(["uci_har/train_3_1"]) == "1 session, 1 thread: uci_har/train_3_1"
    four = [f"uci_har/train_{session}" for session in ("2_0", "2_1", "3_0", "3_1")]
    assert known.described(four).endswith(": 4 names")
    assert known.described([]) == ""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("uci_har/train_3_7", "did you mean `uci_har/train_3_"),
        ("train_10_0", "did you mean `uci_har/train_10_0`"),
        ("uci_har/subject:33", "did you mean `uci_har/subject:3`"),
        ("zzz", "write `dataset/session` or `dataset/subject:name`"),
        ("uci_har/test_*", "did you mean"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(space: Workspace, name: str, hint: str):
    with pytest.raises(UsageError, match="there is no session or subject") as caught:
        roster(space, summaries(space)).check(name)
    assert hint in str(caught.value)


def test_what_is_held_out_is_left_out_of_what_would_leave_as_it_is_of_what_does(space: Workspace):
    hold_out(space.root, ["uci_har/subject:3", "uci_har/train_2_1"])
    for split in (None, parse_split("80/20"), parse_split("60/20/20")):
        request = ExportRequest(split=split)
        before, after = candidates(space, request, summaries(space)), export(space, request)
        assert len(before.chosen) == after.exported and before.skipped == after.skipped
        assert before.held_out == (4 if split and split.has_test else 0)


def test_a_filter_selects_what_is_held_out(space: Workspace):
    hold_out(space.root, ["uci_har/subject:3"])

    def chosen(text: str) -> int:
        return len(list(select(space.threads, summaries(space), parse(text, space))))

    assert [chosen(text) for text in ("heldout:true", "heldout:false", "-heldout:true", "heldout:any")] == [3, 6, 6, 9]


def test_a_name_is_taken_back_and_another_is_not(space: Workspace):
    hold_out(space.root, ["uci_har/subject:3", "uci_har/train_2_1"])
    release(space.root, ["uci_har/subject:3"])
    assert read_book(space.root).held_out == ["uci_har/train_2_1"]
    with pytest.raises(UsageError, match=r"is not held out; held out are: uci_har/train_2_1"):
        release(space.root, ["uci_har/subject:3"])


def test_a_session_with_brackets_in_its_name_is_held_out(tmp_path: Path):
    space = workspace(tmp_path, document(1, session="s[1]"), document(2, session="s1"))
    hold_out(space.root, ["uci_har/s[1]"])
    assert [row.session for row in candidates(space, ExportRequest(), summaries(space)).chosen] == ["s1"]
    assert roster(space, summaries(space)).extent(["uci_har/s[1]"]) == Extent(1, 1)


def test_names_given_while_an_export_is_under_way_stay(tmp_path: Path):
    book = read_book(tmp_path)
    hold_out(tmp_path, ["a/b"])
    book.assigned["70/30 by subject, seed 0"] = {"a/c": "val"}
    write_book(tmp_path, book)
    write_book(tmp_path, SplitBook(assigned={"70/30 by subject, seed 0": {"a/d": "train"}}))
    book = read_book(tmp_path)
    assert book.held_out == ["a/b"] and book.assigned == {"70/30 by subject, seed 0": {"a/c": "val", "a/d": "train"}}


def test_the_command_names_takes_back_and_says_what_is_held_out(space: Workspace, capsys: pytest.CaptureFixture[str]):
    def told(*options: str) -> str:
        code = run_command(["export", *options, "--workspace", str(space.root)])
        out = capsys.readouterr()
        return f"{code} {out.out}{out.err}"

    assert "3 held out" in told("--hold-out", "uci_har/subject:10")
    assert "held out  2 sessions, 3 threads: uci_har/subject:10" in told("--status")
    assert "did you mean `uci_har/subject:10`" in told("--hold-out", "uci_har/subject:100")
    assert read_book(space.root).held_out == ["uci_har/subject:10"]
    assert "is not held out" in told("--release", "uci_har/subject:2")
    assert "exported  9" in told("--release", "uci_har/subject:10") and "held out" not in told("--status")
    assert json.loads((space.root / "splits.json").read_text())["held_out"] == []


def test_names_that_cannot_be_read_are_said_when_a_filter_asks_for_them(
    space: Workspace, capsys: pytest.CaptureFixture[str]
):
    (space.root / "splits.json").write_text('{"held_out": 3}')
    assert run_command(["list", "--filter", "heldout:true", "--workspace", str(space.root)]) != 0
    told = capsys.readouterr().err
    assert "splits.json" in told and "mend it" in told and told.count("\n") == 1
