from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.errors import SensorloomError
from core.export.report import ExportCancelledError, ExportRequest, NothingToExportError, Progress
from core.export.run import export
from core.export.split import parse_split
from core.storage.export_log import read_log

from .threads import document, put, rows, workspace


def test_each_line_equals_its_file_without_alternatives_keys_in_their_order(tmp_path: Path):
    plain = document(1)
    odd: dict[str, Any] = {"mine": {"b": 1, "a": [1.50, 1e3]}, **document(2)}
    odd |= {"alternatives": [{"position": 1}], "last": "x\u2028y"}
    report = export(workspace(tmp_path, plain, odd), ExportRequest())
    assert (report.total, report.exported, report.skipped) == (2, 2, {})
    by_id = {row["id"]: row for row in rows(report.path)}
    del odd["alternatives"]
    assert by_id == {plain["id"]: plain, odd["id"]: odd}
    assert list(by_id[odd["id"]]) == list(odd) and list(by_id[odd["id"]]["metadata"]) == list(odd["metadata"])
    assert report.path and re.fullmatch(r"training_data_openai_\d{8}_\d{6}\.jsonl", report.path.name)


def test_contents_and_arguments_that_are_objects_become_strings_and_the_file_stays(tmp_path: Path):
    other = document(1)
    other["messages"][0:1] = [
        {"role": "user", "content": "Dataset Information: {}"},
        {"role": "user", "content": {"type": "timeseries", "artifact_id": "ts_1"}},
        {"role": "user", "content": [{"type": "text", "text": "What "}, {"type": "text", "text": "is it?"}]},
    ]
    other["messages"][4]["content"] = {"channels": []}
    other["messages"][3]["tool_calls"][0]["function"]["arguments"] = {"dataset_name": "uci_har"}
    space = workspace(tmp_path, other)
    before = (space.threads / f"{other['id']}.json").read_bytes()
    messages = rows(export(space, ExportRequest()).path)[0]["messages"]
    assert [message["content"] for message in messages[:3]] == [
        "Dataset Information: {}",
        '{"type": "timeseries", "artifact_id": "ts_1"}',
        "What is it?",
    ]
    assert messages[4]["content"] == '{"channels": []}'
    assert json.loads(messages[3]["tool_calls"][0]["function"]["arguments"]) == {"dataset_name": "uci_har"}
    assert (space.threads / f"{other['id']}.json").read_bytes() == before


def _unfinished(thread: dict[str, Any]) -> None:
    del thread["messages"][-1]


def _rejected(thread: dict[str, Any]) -> None:
    thread["metadata"]["review"] = {"verdict": "reject"}


def _stale(thread: dict[str, Any]) -> None:
    thread["messages"][4]["stale"] = True


def _unanswered(thread: dict[str, Any]) -> None:
    del thread["messages"][3]


def _orphan(thread: dict[str, Any]) -> None:
    thread["messages"][3]["tool_call_id"] = "call_x"


def _twice(thread: dict[str, Any]) -> None:
    for part in (thread["messages"][1]["tool_calls"][1], thread["messages"][3]):
        part["id" if "id" in part else "tool_call_id"] = thread["messages"][2]["tool_call_id"]


@pytest.mark.parametrize(
    ("spoil", "reason", "sentence"),
    [
        (_unfinished, "not finished", ""),
        (_rejected, "rejected", ""),
        (_stale, "stale turns", "a message rests on something that changed"),
        (_unanswered, "broken tool calls", "of compute_spectrum is not answered"),
        (_orphan, "broken tool calls", "message 4 answers the call call_x, which nobody made"),
        (_twice, "broken tool calls", "which another call has"),
    ],
)
def test_what_cannot_leave_is_counted_with_its_reason(tmp_path: Path, spoil: Any, reason: str, sentence: str):
    bad = document(2)
    spoil(bad)
    report = export(workspace(tmp_path, document(1), bad), ExportRequest())
    assert (report.exported, dict(report.skipped)) == (1, {reason: 1})
    assert [sentence in refusal.sentence for refusal in report.refusals] == ([True] if sentence else [])


def test_files_that_are_no_threads_are_refused_with_file_and_line(tmp_path: Path):
    space = workspace(tmp_path, document(1))
    (space.threads / "half.json").write_text('{"id": "a",\n "messages": [')
    (space.threads / "old.json").write_text('{"thread_id": "a", "conversation": [], "schema_version": "3.0"}')
    put(space.threads, {**document(3), "nan": float("nan")})
    half = json.dumps(document(4)).replace("Two checks", "\\ud800 checks")
    (space.threads / f"{document(4)['id']}.json").write_text(half)
    report = export(space, ExportRequest())
    assert report.exported == 1
    assert dict(report.skipped) == {"not a valid thread": 2, "older v3 thread": 1, "text that loaders stop at": 1}
    assert any("lone surrogate" in refusal.sentence for refusal in report.refusals)
    assert any("half.json, line 2" in refusal.sentence for refusal in report.refusals)
    assert any("NaN" in refusal.sentence for refusal in report.refusals)


def test_all_takes_unfinished_threads_and_rejected_ones_only_when_asked(tmp_path: Path):
    active, rejected = document(2), document(3, review={"verdict": "reject"})
    _unfinished(active)
    space = workspace(tmp_path, document(1), active, rejected)
    assert export(space, ExportRequest(finished_only=False)).exported == 2
    assert export(space, ExportRequest(finished_only=False, rejected=True)).exported == 3


def test_same_selection_same_bytes_and_two_exports_never_share_a_name(tmp_path: Path):
    space = workspace(tmp_path, *(document(number) for number in range(1, 6)))
    first, second = export(space, ExportRequest()), export(space, ExportRequest())
    assert first.path != second.path
    assert first.files[0].sha256 == second.files[0].sha256
    assert first.path and second.path and first.path.read_bytes() == second.path.read_bytes()


def test_the_row_richest_in_keys_stands_first(tmp_path: Path):
    rich = document(3, tags=["x"], review={"verdict": "accept"})
    report = export(workspace(tmp_path, document(1), document(2), rich, document(4)), ExportRequest())
    assert [row["id"][-4:] for row in rows(report.path)] == ["0003", "0001", "0002", "0004"]


def test_nothing_to_export_says_why_and_writes_nothing(tmp_path: Path):
    active = document(1)
    _unfinished(active)
    with pytest.raises(
        NothingToExportError,
        match=r"no threads found matching the filter \(1 not finished\); .* in the export dialog, or with --all",
    ):
        export(workspace(tmp_path, active), ExportRequest())
    assert not list((tmp_path / "exports").glob("*.jsonl"))


def visible(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if not path.name.startswith(".")]


def test_a_stopped_export_leaves_nothing(tmp_path: Path):
    space = workspace(tmp_path, *(document(number) for number in range(1, 4)))
    with pytest.raises(ExportCancelledError):
        export(space, ExportRequest(), Progress(cancelled=lambda: True))
    assert [path.name for path in space.exports.iterdir()] in ([], [".sensorloom.lock"])


def test_a_full_disk_leaves_no_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    space = workspace(tmp_path, document(1))

    def full_disk(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(SensorloomError, match="no space left on device"):
        export(space, ExportRequest())
    assert not [path for path in space.exports.iterdir() if path.suffix in (".tmp", ".jsonl")]


def test_an_exports_folder_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path):
    space = workspace(tmp_path, document(1))
    space.exports.write_text("a file is in the way")
    with pytest.raises(SensorloomError, match=r"cannot write .*exports: file exists"):
        export(space, ExportRequest())


def test_a_killed_export_leaves_no_file_under_the_final_name(tmp_path: Path):
    space = workspace(tmp_path, *(document(number) for number in range(1, 30)))
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from core.export.report import ExportRequest, Progress\n"
        "from core.export.run import export\n"
        "from core.workspace import open_workspace\n"
        "def kill(done, total):\n"
        "    if done == total: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"export(open_workspace({str(tmp_path)!r}), ExportRequest(), Progress(report=kill))\n"
    )
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", script], cwd=root, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert visible(space.exports) == []
    left = next(space.exports.glob(".training_data_*.tmp"))
    for path in (*left.iterdir(), left):
        os.utime(path, (0, 0))
    assert export(space, ExportRequest()).exported == 29
    assert not left.exists()


def test_an_export_that_is_killed_while_it_is_named_leaves_no_training_file_without_its_manifest(tmp_path: Path):
    space = workspace(tmp_path, *(document(number) for number in range(1, 5)))
    request = ExportRequest("llamafactory", split=parse_split("50/50", "family"))
    partly = 0
    for steps in range(40):
        for folder in (space.exports, space.private):  # without the log, the manifests tell what has left
            shutil.rmtree(folder, ignore_errors=True)
        status = _killed_after(steps, lambda: export(space, request))
        names = visible(space.exports)
        if any(name.endswith(".jsonl") for name in names):
            assert any(name.endswith(".manifest.json") for name in names), names
            assert any(name.endswith(".llamafactory.yaml") for name in names), names
        owed = bool(list(space.exports.glob(".training_data_*.whole")))
        partly += owed
        assert not read_log(space) or len([name for name in names if name.endswith(".jsonl")]) == 2, names
        export(space, ExportRequest("hf"))  # the next export gives the names that are owed
        names = visible(space.exports)
        exports = [name.partition(".")[0] for name in names if name.startswith("training_data_llama")]
        assert len(set(exports)) in (0, 3), names
        assert not owed or ("dataset_info.json" in names and len(set(exports)) == 3)
        if status == 0:
            break
    else:
        raise AssertionError("it never came to its end")
    assert partly > 3


def _killed_after(steps: int, work: Callable[[], object]) -> int:
    """Do some work in a process that is killed before its next name is given or taken away; its wait status."""
    if pid := os.fork():
        return os.waitpid(pid, 0)[1]
    left = steps

    def watch(event: str, _: object) -> None:
        nonlocal left
        if event in ("os.rename", "os.link", "os.remove", "os.rmdir"):
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(watch)
    work()
    os._exit(0)


def test_the_command_prints_one_json_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace(tmp_path, document(1), document(2))
    assert run_command(["export", "--json", "--workspace", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["exported"], printed["total"]) == (2, 2)
    assert len(rows(Path(printed["path"]))) == 2
    assert [example["id"][-4:] for example in printed["examples"]] == ["0001", "0002"]


def test_the_command_fails_when_nothing_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    workspace(tmp_path)
    assert run_command(["export", "--json", "--workspace", str(tmp_path)]) == 1
    caught = capsys.readouterr()
    assert json.loads(caught.out)["exported"] == 0
    assert caught.err.startswith("sensorloom: no threads found") and caught.err.count("\n") == 1


def test_the_command_says_what_it_did_to_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    bad = document(2)
    _unanswered(bad)
    workspace(tmp_path, document(1), bad)
    assert run_command(["export", "--workspace", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "exported  1" in text and "1 broken tool calls" in text and "exports/training_data_openai_" in text
