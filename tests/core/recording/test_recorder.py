"""A recording from its first line to the dataset: what a person would miss if it were otherwise."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from core.cli.commands import run_command
from core.datasets.check import check_dataset
from core.datasets.standard import open_dataset
from core.datasets.whole.marks import marked
from core.datasets.whole.marks_file import read_marks, save_marks
from core.errors import SensorloomError
from core.recording import finishing, live_file
from core.recording.finishing import Finished, finish, finish_left
from core.recording.last_window import begin_thread, cut_last, recording_under_way
from core.recording.live_folder import lives, next_recording, read_live, under_way
from core.recording.recorder import Recorder
from core.recording.session import Ended, Request, record
from core.recording.sources import Source
from core.recording.tail import LiveTail
from core.workspace import Workspace

ROOT = Path(__file__).parents[3]
NOW = 1_700_000_000_000_000_000


class Silent:
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def tell(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def show(self, recorder: Recorder, seconds: float) -> None: ...

    def label_wanted(self, labels: tuple[str, ...]) -> str | None:
        return None


def rows(start: float, seconds: float, *, walking: bool, rate: float = 50.0) -> Iterator[str]:
    for number in range(round(seconds * rate)):
        t = start + number / rate
        z = 9.81 + (3 * math.sin(2 * math.pi * 1.9 * t) if walking else 0.02 * math.sin(t))
        yield f"{t:.3f},{0.1 * math.sin(t):.4f},0.2,{z:.4f}"


def walk() -> list[str]:
    return ["time,acc_x,acc_y,acc_z", "label: walking", *rows(0, 11, walking=True), "label: sitting",
            *rows(11, 6, walking=False), "label:", *rows(17, 3, walking=False)]  # fmt: skip


def recorded(workspace: Workspace, lines: list[str], watch: Silent | None = None, **options: Any) -> Ended:
    def run(put: Any, tell: Any, stop: Any) -> None:
        for line in lines:
            put(line.encode())

    request = replace(Request("mine", subject="anna"), **options)
    return record(workspace, request, Source("a test", run), watch or Silent(), threading.Event())


def finished(ended: Ended) -> Finished:
    assert ended.finished is not None, ended
    return ended.finished


def test_labelled_lines_become_a_dataset_that_is_whole_and_sound(workspace: Workspace):
    ended = finished(recorded(workspace, walk(), label=""))
    assert ended.windows == {"sitting": 1, "walking": 2}
    assert ended.unlabelled_sec == pytest.approx(3.0, abs=0.05)
    dataset = open_dataset(workspace, "mine")
    assert [channel.unit for channel in dataset.channels] == ["m/s²"] * 3
    assert set(dataset.subjects.values()) == {"anna"} and dataset.activities == ("walking", "sitting")
    for session in dataset.sessions:
        still = np.std(dataset.load(session).values[2]) < 0.1
        assert dataset.labels[session] == ("sitting",) if still else ("walking",)
    assert not [finding for finding in check_dataset(workspace, "mine").findings if finding.level == "error"]
    whole = dataset.folder / "recordings" / "anna_r001"
    assert parquet.read_table(whole / "data.parquet").num_rows == 1000
    assert (whole / "intervals.csv").read_text().splitlines() == [
        "start_sec,end_sec,label", "0,10.99,walking", "10.99,16.99,sitting"]  # fmt: skip
    assert not list(lives(workspace))


def test_what_has_come_before_it_is_stopped_is_recorded(workspace: Workspace):
    stop = threading.Event()
    lines = ["time,acc_x,acc_y,acc_z", *rows(0, 60, walking=True)]

    def run(put: Any, tell: Any, ends: threading.Event) -> None:
        for line in lines:
            put(line.encode())
        stop.set()
        ends.wait()

    request = Request("mine", subject="s1", label="walking")
    finished(record(workspace, request, Source("a test", run), Silent(), stop))
    whole = open_dataset(workspace, "mine").folder / "recordings" / "s1_r001"
    assert parquet.read_table(whole / "data.parquet").num_rows == len(lines) - 1


def test_a_second_recording_joins_the_first_and_leaves_its_sessions_alone(workspace: Workspace):
    recorded(workspace, walk())
    before = {path: path.read_bytes() for path in (workspace.data / "mine" / "sessions").rglob("*.parquet")}
    ended = finished(recorded(workspace, walk()[:600]))
    assert ended.recording == "anna_r002"
    assert all(path.read_bytes() == data for path, data in before.items())
    assert len(open_dataset(workspace, "mine").sessions) == 3 + 2


def test_an_imported_dataset_is_not_recorded_into(workspace: Workspace):
    (workspace.data / "theirs").mkdir(parents=True)
    (workspace.data / "theirs" / "manifest.json").write_text("{}")
    with pytest.raises(SensorloomError, match="record under another name"):
        recorded(workspace, walk(), dataset="theirs")


def test_garbage_repeats_gaps_and_jumps_are_counted_and_the_rest_is_kept(workspace: Workspace):
    lines = walk()
    lines[100:100] = ["\x00\x01\x02", "1,2", "x" * 70_000, lines[99], '{"half": ', "soon,1,2,3"]
    jump = [*rows(-5000, 6, walking=True)]
    watch = Silent()
    ended = finished(recorded(workspace, [*lines[:900], *jump], watch))
    counts = ended.counts
    assert counts["rows with a repeated timestamp"] == 1
    assert counts["lines of other than 4 fields"] == 1
    assert counts["lines that are no whole JSON"] == counts["lines that are no text"] == 1
    assert counts["lines that are too long"] == counts["rows without a time"] == 1
    assert counts["jumps in time"] == 1
    assert any("jumped" in sentence for sentence in watch.sentences)
    time_sec = parquet.read_table(workspace.data / "mine/recordings/anna_r001/data.parquet")["timestamp_sec"].to_numpy()
    assert np.all(np.diff(time_sec) > 0)


def test_nothing_but_garbage_leaves_nothing_behind(workspace: Workspace):
    ended = finished(recorded(workspace, ["hello", "\x00\xff", "{", "-", "no rows here"] * 200))
    assert ended.seconds == 0
    assert not (workspace.data / "mine").exists()


def test_sensors_of_several_rates_are_put_on_one_clock(workspace: Workspace):
    messages: list[str] = []
    for second in range(12):
        payload: list[dict[str, Any]] = []
        for sensor, rate in (("accelerometer", 50), ("gyroscope", 25), ("battery", 1)):
            for number in range(rate if sensor != "battery" or second < 2 else 0):
                at = NOW + second * 10**9 + number * 10**9 // rate
                values = {"level": 1.0} if sensor == "battery" else {"x": 0.1, "y": 0.2, "z": 1.0}
                payload.append({"name": sensor, "time": at, "values": values})
        messages.append(json.dumps({"messageId": second, "payload": payload}))
    ended = finished(recorded(workspace, ['{"label": "sitting"}', *messages]))
    assert ended.windows == {"sitting": 2}
    assert [channel.name for channel in open_dataset(workspace, "mine").channels] == [
        "acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z"]  # fmt: skip
    assert any("battery" in reason for reason in ended.counts)


def test_a_sensor_that_sent_at_another_time_does_not_cut_the_others_short(workspace: Workspace):
    def of(sensor: str, start: float, seconds: float) -> list[str]:
        axes = ({"name": sensor, "time": NOW + round((start + n / 20) * 1e9), "x": 0.1, "y": math.sin(n), "z": 9.8}
                for n in range(round(seconds * 20)))  # fmt: skip
        return [json.dumps([reading]) for reading in axes]

    ended = finished(recorded(workspace, [*of("accelerometer", 0, 10), *of("gyroscope", 11, 9.5)]))
    assert ended.seconds == pytest.approx(10, abs=0.1)
    assert any("rows of gyroscope, which did not send" in reason for reason in ended.counts)
    assert not list(lives(workspace))


def test_a_full_disk_ends_it_and_what_came_is_recovered(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    def full(self: object, *_: object) -> None:
        raise OSError(28, "No space left on device")

    lines = walk()
    with monkeypatch.context() as patched:
        patched.setattr(finishing, "add_labels", full)
        append = live_file.LiveWriter.append

        def appended(self: Any, time_ns: Any, samples: Any) -> None:
            if self.path.stat().st_size > 2000:
                full(self)
            append(self, time_ns, samples)

        patched.setattr(live_file.LiveWriter, "append", appended)
        patched.setattr("core.recording.session.WRITE_SEC", 0.0)
        ended = recorded(workspace, lines)
    assert "no space left" in ended.reason and "--recover" in ended.problem and ended.finished is None
    assert [live.state.dataset for live in lives(workspace)] == ["mine"]
    home = workspace.data / "mine/recordings"
    assert not (home / "anna_r001").exists(), "it comes to its place when all of it stands"
    [outcome] = finish_left(workspace)
    assert isinstance(outcome, Finished) and outcome.seconds > 0
    assert [path.name for path in home.iterdir()] == ["anna_r001"] and not list(lives(workspace))


def test_what_stands_in_the_dataset_already_is_not_written_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    def died(folder: Path) -> None:
        raise OSError(5, "died")

    with monkeypatch.context() as patched:
        patched.setattr(finishing, "_remove", died)
        assert recorded(workspace, walk()).finished is None
    home = workspace.data / "mine/recordings/anna_r001"
    stored = read_marks(home)
    save_marks(stored, marked(stored.marks, 17, 19, "jumping"))
    [outcome] = finish_left(workspace)
    assert isinstance(outcome, Finished) and outcome.windows == {"sitting": 1, "walking": 2}
    assert read_marks(home).marks.labels == ("jumping", "sitting", "walking") and not list(lives(workspace))


def test_a_file_that_was_cut_anywhere_is_read_up_to_there(tmp_path: Path):
    writer = live_file.LiveWriter(tmp_path / "a.arrow", ["x", "y"])
    ends: list[int] = []
    for number in range(5):
        writer.append([number * 2, number * 2 + 1], [(1.0, 2.0), (float("nan"), 4.0)])
        ends.append((tmp_path / "a.arrow").stat().st_size)
    writer.close()
    data = (tmp_path / "a.arrow").read_bytes()
    for size in range(ends[0], len(data) + 1, 7):
        (tmp_path / "a.arrow").write_bytes(data[:size])
        reader = live_file.LiveReader(tmp_path / "a.arrow")
        assert reader.columns == ("x", "y")
        assert sum(len(batch.time_ns) for batch in reader.rows()) == 2 * sum(end <= size for end in ends)
        reader.close()


def test_the_last_window_becomes_a_session_and_a_thread_whose_answer_may_not_be_checked(
    workspace: Workspace, recorder: Recorder
):
    with pytest.raises(SensorloomError, match="no rows have come"):
        cut_last(workspace, recording_under_way(workspace))
    feed(recorder, [line for line in walk() if not line.startswith("label")][:400])
    window = cut_last(workspace, recording_under_way(workspace, "mine"))
    assert (window.label, round(window.seconds, 1)) == ("", 5.0)
    stored = begin_thread(workspace, window)
    assert stored.thread.truth == "" and stored.thread.session == window.session
    recorder.mark("walking", None)
    feed(recorder, list(rows(400 / 50, 2, walking=True)))
    assert cut_last(workspace, recording_under_way(workspace)).label == "", "it was not marked throughout"
    feed(recorder, list(rows(500 / 50, 4, walking=True)))
    labelled = cut_last(workspace, recording_under_way(workspace))
    assert labelled.label == "walking" and labelled.session != window.session
    assert begin_thread(workspace, labelled).thread.truth == "walking"
    recorder.mark("sitting", None)
    feed(recorder, list(rows(700 / 50, 2, walking=False)))
    assert cut_last(workspace, recording_under_way(workspace)).label == ""
    recorder.close()
    assert finish_left(workspace) == []  # it is the recorder's own until it lets go
    recorder.let_go()
    assert under_way(workspace) == []
    with pytest.raises(SensorloomError, match="a recorder died; `sensorloom record --recover`"):
        recording_under_way(workspace)
    finish(workspace, read_live(recorder.folder))
    assert window.session not in open_dataset(workspace, "mine").labels
    with pytest.raises(SensorloomError, match="nothing is recorded"):
        recording_under_way(workspace)


@pytest.fixture
def recorder(workspace: Workspace) -> Iterator[Recorder]:
    from core.datasets.tables.form import TableForm
    from core.recording.live_folder import live_folder
    from core.recording.recorder import new_state

    state = new_state("mine", "rec_r001", "a test", TableForm(), 5.0, 0.0)
    begun = Recorder(live_folder(workspace, "mine", "rec_r001"), state)
    yield begun
    begun.close()
    begun.let_go()


def feed(recorder: Recorder, lines: list[str]) -> None:
    for number, line in enumerate(lines):
        recorder.feed(line.encode(), NOW + number * 20_000_000)
    recorder.tick(NOW + len(lines) * 20_000_000)
    recorder.save()


def test_who_follows_sees_the_last_seconds_and_stalls_and_the_end(workspace: Workspace, recorder: Recorder):
    assert next_recording(workspace, "mine", "") == "rec_r002"
    tail = LiveTail(read_live(recorder.folder), 10)
    assert tail.window(10) is None
    feed(recorder, walk()[:1] + list(rows(0, 30, walking=True)))
    assert tail.poll()
    window = tail.window(10)
    assert window is not None and window.names == ("acc_x", "acc_y", "acc_z")
    assert window.end_sec - window.start_sec == pytest.approx(10, abs=0.05)
    assert window.channels[0].unit == "m/s²"
    assert not tail.poll() and tail.ended() == ""
    recorder.tick(NOW + 40 * 10**9, behind=True)
    assert not recorder.stalled, "more has come than was taken"
    recorder.tick(NOW + 80 * 10**9)
    assert recorder.stalled and "nothing has come for" in recorder.sentences[-1]
    recorder.let_go()
    tail._came = 0  # pyright: ignore[reportPrivateUsage]
    assert "its recorder is gone" in tail.ended()
    recorder.close()
    tail._looked = 0  # pyright: ignore[reportPrivateUsage]
    tail.poll()
    assert tail.ended() == "the recording has ended"
    tail.close()


def test_killed_at_any_moment_it_loses_at_most_the_last_second(workspace: Workspace):
    command = [sys.executable, "-m", "tui", "record", "mine", "--label", "walking", "--workspace", str(workspace.root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(("\n".join(walk()[:1] + list(rows(0, 8, walking=True))) + "\n").encode())
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while not any(sensor.rows == 400 for live in lives(workspace) for sensor in live.state.sensors):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
    assert under_way(workspace) == []
    assert run_command(["record", "--recover", "--workspace", str(workspace.root)]) == 0
    assert len(open_dataset(workspace, "mine").sessions) == 1
    assert parquet.read_table(workspace.data / "mine/recordings/rec_r001/data.parquet").num_rows == 400
