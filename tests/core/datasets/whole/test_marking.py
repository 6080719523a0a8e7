from __future__ import annotations

import io
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.cli.commands import run_command
from core.curate import create_thread
from core.datasets.archive import RawFile
from core.datasets.check import check_dataset
from core.datasets.importing import alone
from core.datasets.standard import open_dataset
from core.datasets.tables.intervals import read_intervals
from core.datasets.whole.cutting import Windows, cut_dataset, cut_recording
from core.datasets.whole.marks import Mark, Marks, cleared, marked, redone, snapped, undone
from core.datasets.whole.marks_file import INTERVALS, read_marks, save_marks
from core.datasets.whole.recording import in_time, place_of, read_recording, recording_of_session, recordings_of
from core.errors import ConflictError, DatasetError, UsageError
from core.workspace import Workspace, open_workspace
from tools.session import Channel, Window

RATE = 20
CHANNELS = [{"name": f"acc_{axis}", "description": "", "unit": "g", "sampling_rate_hz": RATE} for axis in "xyz"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One dataset that keeps two recordings of a minute whole, nothing marked, nothing cut."""
    folder = tmp_path / "data" / "mine"
    time_sec = np.arange(60 * RATE) / RATE
    for number, name in enumerate(("anna_r001", "ben_r001")):
        (folder / "recordings" / name).mkdir(parents=True)
        rows = np.random.default_rng(number).normal(0, 0.1, (3, time_sec.size))
        columns = {"timestamp_sec": time_sec} | {f"acc_{axis}": row for axis, row in zip("xyz", rows, strict=True)}
        parquet.write_table(pa.table(columns), folder / "recordings" / name / "data.parquet", row_group_size=500)
    (folder / "sessions").mkdir()
    manifest = {"dataset_name": "mine", "description": "2 recordings of one's own.", "channels": CHANNELS}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"activities": []}))
    (folder / "labels.json").write_text("{}")
    (folder / "subjects.json").write_text(json.dumps({"anna_r001": "anna", "ben_r001": "ben"}))
    return open_workspace(str(tmp_path), environ={})


def folder_of(workspace: Workspace, name: str = "anna_r001") -> Path:
    return workspace.data / "mine" / "recordings" / name


def mark(workspace: Workspace, *stretches: tuple[float, float, str], name: str = "anna_r001") -> None:
    for start, end, label in stretches:
        stored = read_marks(folder_of(workspace, name))
        save_marks(stored, marked(stored.marks, start, end, label))


def test_what_is_marked_later_takes_the_place_of_what_it_covers_and_every_step_is_undone():
    marks = marked(marked(Marks(), 0, 10, "walking"), 4, 6, "standing")
    assert marks.stretches == (Mark(0, 4, "walking"), Mark(4, 6, "standing"), Mark(6, 10, "walking"))
    assert marks.at(4) == Mark(4, 6, "standing") and marks.at(10) is None
    grown = marked(marks, 3, 5, "standing")
    assert grown.stretches == (Mark(0, 3, "walking"), Mark(3, 6, "standing"), Mark(6, 10, "walking"))
    bare = cleared(grown, 2, 8)
    assert bare.stretches == (Mark(0, 2, "walking"), Mark(8, 10, "walking"))
    assert undone(undone(bare)) == redone(undone(undone(undone(bare)))) != marks
    assert undone(undone(bare)).stretches == marks.stretches and redone(redone(undone(undone(bare)))) == bare
    with pytest.raises(UsageError, match="nothing is marked"):
        cleared(bare, 3, 4)
    with pytest.raises(UsageError, match="empty"):
        marked(bare, 5, 5, "x")


def test_an_edge_snaps_to_the_nearest_change_within_reach():
    assert snapped(5.2, [1.0, 5.0, 9.0], 0.5) == 5.0
    assert snapped(6.2, [1.0, 5.0, 9.0], 0.5) == 6.2
    assert snapped(6.2, [], 0.5) == 6.2


def test_marks_are_a_file_that_import_reads_and_never_written_over_what_was_not_read(workspace: Workspace):
    mark(workspace, (3.2, 8.1, "walking"), (8.1, 12, "up, and down"))
    folder = folder_of(workspace)
    data = (folder / INTERVALS).read_bytes()
    assert data == b'start_sec,end_sec,label\n3.2,8.1,walking\n8.1,12,"up, and down"\n'
    raw = RawFile(INTERVALS, len(data), "", lambda: io.BytesIO(data))
    assert [(i.start_ns, i.label) for i in read_intervals(raw)] == [
        (3_200_000_000, "walking"),
        (8_100_000_000, "up, and down"),
    ]
    stored = read_marks(folder)
    assert read_marks(folder).marks == stored.marks and len(stored.marks.undo) == 2
    (folder / INTERVALS).write_text("start_sec,end_sec,label\n0,1,mine\n")
    with pytest.raises(ConflictError, match="changed by somebody else"):
        save_marks(stored, undone(stored.marks))
    assert read_marks(folder).marks == Marks((Mark(0, 1, "mine"),)), "and steps that led elsewhere are void"
    (folder / INTERVALS).write_text("start_sec,end_sec,label\n0,1,mine\n3,2,walking\n")
    with pytest.raises(DatasetError, match=r"anna_r001/intervals.csv: line 3 needs"):
        read_marks(folder)
    (folder / INTERVALS).write_text("start_sec,end_sec,label,note\n")
    with pytest.raises(DatasetError, match="no other columns"):
        read_marks(folder)


def test_windows_are_cut_by_stretches_or_by_purity_and_all_that_is_left_out_is_counted():
    time_sec = np.arange(60 * RATE) / RATE
    window = Window((Channel("acc_x"),), time_sec, np.ones((1, time_sec.size)))
    stretches = (Mark(3, 14, "walking"), Mark(14, 31.5, "standing"))
    dropped: Counter[str] = Counter()
    pure = list(cut_recording("r", window, stretches, Windows(5), "anna", dropped))
    assert Counter(session.label for session in pure) == {"walking": 2, "standing": 3}
    assert dropped["rows without a label"] == (60 - 28.5) * RATE
    dropped.clear()
    even = list(cut_recording("r", window, stretches, Windows(5, 0.0, 0.85), "anna", dropped))
    assert Counter(session.label for session in even) == {"walking": 1, "standing": 3}
    assert dropped["windows with too little of one label"] == 8, "from 10 to 15 four seconds of five are of one"
    half = list(cut_recording("r", window, stretches, Windows(5, 0.5, 1.0), "anna", Counter()))
    assert len(half) > len(pure) and {session.session for session in pure} <= {session.session for session in half}
    assert all(len(session.time_sec) == 5 * RATE and session.time_sec[0] == 0 for session in even)


def test_a_dataset_is_cut_anew_and_a_window_that_stays_keeps_its_name(workspace: Workspace):
    with pytest.raises(DatasetError, match=r"not one window .* datasets mark mine anna_r001"):
        cut_dataset(workspace, "mine", Windows())
    mark(workspace, (0, 20, "walking"), (20, 40, "standing"))
    mark(workspace, (0, 10, "running"), name="ben_r001")
    first = cut_dataset(workspace, "mine", Windows(5))
    assert first.activities == {"running": 2, "standing": 4, "walking": 4}
    assert (first.unlabelled_sec, first.recorded_sec, first.gone) == (70, 120, 0)
    dataset = open_dataset(workspace, "mine")
    assert set(dataset.activities) == set(first.activities) and recordings_of(dataset) == ["anna_r001", "ben_r001"]
    assert {dataset.subjects[s] for s in dataset.sessions if s.startswith("ben")} == {"ben"}
    assert not [finding.sentence for finding in check_dataset(workspace, "mine").errors]
    walked = {session for session, (label,) in dataset.labels.items() if label == "walking"}
    mark(workspace, (10, 20, "standing"))
    again = cut_dataset(workspace, "mine", Windows(5))
    assert set(again.relabelled) < walked and len(again.relabelled) == 2 and again.gone == 0
    assert cut_dataset(workspace, "mine", Windows(4)).gone == 10
    assert read_marks(folder_of(workspace)).marks.undo, "what can be undone is there after cutting"


def test_sessions_that_threads_are_about_or_that_no_recording_holds_stay_when_windows_are_cut(workspace: Workspace):
    mark(workspace, (0, 20, "walking"))
    cut_dataset(workspace, "mine", Windows(5))
    home = workspace.data / "mine"
    cut = open_dataset(workspace, "mine").sessions
    for name in ("anna_r001_w001", "by_hand"):  # as a recorder cuts them under way, and from elsewhere
        shutil.copytree(home / "sessions" / cut[0], home / "sessions" / name)
    labels = json.loads((home / "labels.json").read_text()) | {"by_hand": ["jumping"]}
    (home / "labels.json").write_text(json.dumps(labels))
    (home / "subjects.json").write_text(json.dumps({"anna_r001_w001": "anna", "anna_r001": "anna"}))
    report = cut_dataset(workspace, "mine", Windows(10), used={"anna_r001_w001", cut[1], "../x", "nobody"})
    assert set(report.stay) == {"anna_r001_w001", "by_hand", cut[1]} and report.gone == 3
    dataset = open_dataset(workspace, "mine")
    assert dataset.labels["by_hand"] == ("jumping",) and dataset.labels[cut[1]] == ("walking",)
    assert "jumping" in dataset.activities and dataset.subjects["anna_r001_w001"] == "anna"
    assert dataset.load("anna_r001_w001").time_sec.size == 5 * RATE and "anna_r001_w001" not in dataset.labels


def test_a_recording_that_is_marked_while_it_is_cut_is_cut_again(workspace: Workspace):
    mark(workspace, (0, 20, "walking"))

    def marking(done: int, total: int, what: str) -> None:
        if done:
            mark(workspace, (20, 40, "standing"))

    with pytest.raises(ConflictError, match="anna_r001 was marked meanwhile"):
        cut_dataset(workspace, "mine", Windows(5), marking)
    assert not open_dataset(workspace, "mine").labels


def test_who_may_not_cut_now_leaves_what_another_program_is_writing(workspace: Workspace):
    mark(workspace, (0, 20, "walking"))
    others = workspace.data / ".mine.partial" / "sessions"
    others.mkdir(parents=True)
    with alone(workspace.data, "mine"), pytest.raises(UsageError, match="changed by another program"):
        cut_dataset(workspace, "mine", Windows(5))
    assert others.is_dir()


def test_a_recording_out_of_time_is_drawn_in_time(workspace: Workspace):
    window = read_recording(folder_of(workspace), open_dataset(workspace, "mine").channels)
    assert window.values.dtype == np.float32 and in_time(window) is window
    turned = Window(window.channels, window.time_sec[::-1], window.values[:, ::-1])
    assert np.array_equal(in_time(turned).values, window.values)


def test_a_session_is_known_again_in_the_recording_that_it_was_cut_from(workspace: Workspace):
    mark(workspace, (0, 60, "walking"))
    cut_dataset(workspace, "mine", Windows(5))
    dataset = open_dataset(workspace, "mine")
    window = read_recording(folder_of(workspace), dataset.channels)
    places: list[float] = []
    for session in dataset.sessions:
        assert recording_of_session(dataset, session) == "anna_r001"
        where = place_of(window, dataset.load(session))
        assert where is not None and where[1] - where[0] == pytest.approx(4.95)
        places.append(where[0])
    assert sorted(places) == pytest.approx([5.0 * number for number in range(12)])
    still = Window(window.channels, window.time_sec, np.zeros_like(window.values))
    assert place_of(still, dataset.load(dataset.sessions[0])) is None and recording_of_session(dataset, "x") == "x"


def test_the_commands_mark_list_undo_and_cut_and_refuse_a_session_that_was_cut(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
):
    def told(*arguments: str, code: int = 0) -> str:
        assert run_command(["datasets", *arguments, "--workspace", str(workspace.root)]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    assert "1 stretch of 1 label, 4.9 s in all" in told(
        "mark", "mine", "anna_r001", "--from", "3.2", "--to", "8.1", "--label", "walking"
    )
    told("mark", "mine", "anna_r001", "--from", "0", "--to", "30", "--label", "standing")
    assert "0.00 to      30.00 s  standing" in told("mark", "mine", "anna_r001", "--list")
    told("mark", "mine", "anna_r001", "--undo")
    stretches = json.loads(told("mark", "mine", "anna_r001", "--list", "--json"))["stretches"]
    assert stretches == [{"start_sec": 3.2, "end_sec": 8.1, "label": "walking"}]
    assert "1 session of 4 s" in told("cut", "mine", "--length", "4")
    session = open_dataset(workspace, "mine").sessions[0]
    create_thread(workspace, "mine", session, "What is done?", evidence="measure")
    assert f"as before, for threads or of no recording: 1 session, such as {session}" in told(
        "cut", "mine", "--length", "3"
    )
    refused = told("mark", "mine", session, "--from", "0", "--to", "1", "--label", "x", code=1)
    assert "is not marked; mark one of its recordings: anna_r001, ben_r001" in refused
    assert "has no recording 'nobody'" in told("mark", "mine", "nobody", "--list", code=1)
    away = told("mark", "mine", "anna_r001", "--from", "70", "--to", "80", "--label", "x", code=1)
    assert "lasts from 0 to 59.95 s; nothing of it lies in 70 to 80 s" in away
    assert "--from and --to" in told("mark", "mine", "anna_r001", "--label", "x", code=1)
    assert "--min-purity 0.4" in told("cut", "mine", "--min-purity", "0.4", code=1)
