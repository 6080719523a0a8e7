"""References are made from people who are trained on, and a thread keeps whom they were made without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core import curate
from core.errors import WorkspaceError
from core.export.report import ExportReport, ExportRequest
from core.export.run import export
from core.export.split import parse_split
from core.filters.language import parse, select
from core.listing.index import summaries
from core.runs.replay import replay
from core.storage import store
from core.storage.splits_file import hold_out, read_book, release
from core.storage.store import Stored
from core.workspace import Workspace, open_workspace
from tests.tools.made import MadeDataset, made_dataset, write_dataset
from tui.__main__ import run


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(5, 2))
    return open_workspace(str(tmp_path), environ={})


def begun(workspace: Workspace, session: str, *more: str) -> Stored:
    """A thread of the built-in analyst about a session, run to its end."""
    before = {summary.stem for summary in summaries(workspace)}
    asked = ["--dataset", "made", "--session", session, "--seed", "1", *more]
    assert run(["run", "--workspace", str(workspace.root), *asked]) == 0
    (stem,) = {summary.stem for summary in summaries(workspace)} - before
    return store.read(workspace.threads, stem)


def subjects_in(stored: Stored) -> set[int]:
    """How many subjects its references say they rest on."""
    contents = [str(message["content"]) for message in stored.thread.messages if message["role"] == "tool"]
    references = [json.loads(content).get("reference") for content in contents]
    return {reference["subjects"] for reference in references if reference}


@pytest.mark.parametrize("evidence", ["reference", "measure"])
def test_who_is_held_out_is_in_no_reference_and_the_thread_says_so(workspace: Workspace, evidence: str):
    before = begun(workspace, "s0_0000", "--evidence", evidence)
    assert "references_without" not in before.thread.metadata and subjects_in(before) == {4}
    hold_out(workspace.root, ["made/subject:s3", "elsewhere/subject:s1"])
    stored = begun(workspace, "s0_0000", "--evidence", evidence)
    assert stored.thread.metadata["references_without"] == ["made/subject:s3"]
    assert subjects_in(stored) == {3}


def test_a_thread_gives_its_own_results_again_whoever_is_held_out_by_now(workspace: Workspace):
    old = begun(workspace, "s0_0000", "--evidence", "reference")
    hold_out(workspace.root, ["made/subject:s*"])
    release(workspace.root, ["made/subject:s*"])
    hold_out(workspace.root, ["made/subject:s2"])
    new = begun(workspace, "s0_0000", "--evidence", "reference")
    release(workspace.root, ["made/subject:s2"])
    hold_out(workspace.root, ["made/subject:s4"])
    for stored in (old, new):
        assert {call.status for call in replay(workspace, stored.thread)} == {"same"}


def test_a_branch_from_the_question_begins_anew_and_a_later_one_goes_on_as_it_was(workspace: Workspace):
    stored = begun(workspace, "s0_0000")
    hold_out(workspace.root, ["made/subject:s3"])
    assert curate.branch(workspace, stored, 1).thread.metadata["references_without"] == ["made/subject:s3"]
    assert "references_without" not in curate.branch(workspace, stored, 3).thread.metadata


def test_nothing_is_begun_beside_a_damaged_book(workspace: Workspace):
    (workspace.root / "splits.json").write_text("{")
    with pytest.raises(WorkspaceError, match="mend it"):
        curate.create_thread(workspace, "made", "s0_0000", "What is it?")


def split_by_subject(workspace: Workspace) -> ExportReport:
    return export(workspace, ExportRequest(split=parse_split("60/20/20", "subject")))


def test_after_a_split_by_subject_references_are_of_its_training_side(workspace: Workspace):
    for subject in range(5):
        begun(workspace, f"s{subject}_{8 * subject:04d}", "--evidence", "reference")
    report = split_by_subject(workspace)
    assert any("3 of the 3 threads to train on" in warning for warning in report.warnings)
    book = read_book(workspace.root)
    sides = book.assigned[book.split_by_subject]
    outside = sorted(group for group, side in sides.items() if side != "train")
    (trained, *_) = sorted(group.rpartition(":")[2] for group, side in sides.items() if side == "train")
    session = next(summary.session for summary in summaries(workspace) if summary.session.startswith(trained))
    stored = begun(workspace, session, "--evidence", "reference")
    assert stored.thread.metadata["references_without"] == outside and len(outside) == 2
    assert subjects_in(stored) == {2}
    listing = summaries(workspace)
    chosen = select(workspace.threads, listing, parse(f"without:{outside[0]}", workspace))
    assert [summary.stem for summary in chosen] == [stored.stem]
    report = export(workspace, ExportRequest(filter="-without:none", split=parse_split("60/20/20", "subject")))
    assert not any("to train on that compare" in warning for warning in report.warnings) and report.exported == 1
    manifest = next(path for path in report.beside if path.name.endswith(".manifest.json"))
    assert json.loads(manifest.read_text())["references"] == [{"without": outside, "threads": 1}]


def test_of_a_dataset_without_subjects_a_split_says_that_it_leaves_nobody_out(workspace: Workspace):
    known = made_dataset(3, 2)
    names = {session: f"recording_{'abc'[int(session[1])]}_{session[-4:]}" for session in known.windows}
    windows = {names[session]: window for session, window in known.windows.items()}
    labels = {names[session]: labels for session, labels in known.labels.items()}
    write_dataset(workspace.data / "nameless", MadeDataset(name="nameless", windows=windows, labels=labels))
    for session in ("recording_a_0000", "recording_b_0008", "recording_c_0016"):
        begun(workspace, session, "--dataset", "nameless", "--evidence", "reference")
    warning, *_ = split_by_subject(workspace).warnings
    assert "their dataset names no subjects" in warning
    stored = begun(workspace, "recording_a_0001", "--dataset", "nameless")
    assert "references_without" not in stored.thread.metadata
