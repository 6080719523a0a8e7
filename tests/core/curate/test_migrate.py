from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.curate.migrate import migrate
from core.lint import check_thread
from core.listing.index import summaries
from core.settings import Settings
from core.storage import store, thread_files
from core.workspace import Workspace

OLD: dict[str, Any] = {
    "thread_id": "uci_har_session_001_v3_0042",
    "schema_version": "3.0",
    "status": "finished",
    "dataset_name": "uci_har",
    "session_id": "session_001",
    "ground_truth_label": "walking",
    "initial_context": {"user_query": "What activity is being performed?"},
    "conversation": [
        {
            "turn": 1,
            "action": "use_tool",
            "reasoning": "I look at the channels.",
            "tool_call": {"tool_name": "show_channel_stats", "parameters": {"dataset_name": "uci_har"}},
            "tool_result": {"channels": [{"name": "größe"}]},
            "timestamp": "2025-10-01T00:00:00",
        },
        {"turn": 2, "action": "respond", "response": "It looks periodic."},
    ],
    "final_answer": "walking",
    "explanation": "The rhythm is that of steps.",
    "confidence": "high",
    "is_correct": True,
    "created_at": "2025-10-01T00:00:00",
    "metadata": {"num_turns": 2, "num_tool_calls": 1, "annotator": "me"},
    "extra": {"kept": [1]},
}


def made(root: Path, *documents: dict[str, Any]) -> Workspace:
    threads = root / "threads"
    threads.mkdir()
    for one in documents:
        (threads / f"{one['thread_id']}.json").write_text(json.dumps(one))
    return Workspace(root, threads, root / "exports", root / "data", Settings())


def test_turns_answer_and_unknown_fields_come_over(tmp_path: Path):
    space = made(tmp_path, OLD)
    original = (space.threads / "uci_har_session_001_v3_0042.json").read_bytes()
    done = migrate(space, summaries(space))
    assert [(one.id, one.problem) for one in done] == [("uci_har_session_001_v4_0042", "")]
    thread = store.read(space.threads, done[0].id).thread
    first, asked, answered, said, last = thread.messages
    assert first["content"].endswith("\n\nUser Query: What activity is being performed?")
    assert asked["content"] == "I look at the channels." and asked["timestamp"] == "2025-10-01T00:00:00"
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"] == f"call_{thread.id}_turn_1"
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"dataset_name": "uci_har"}
    assert json.loads(answered["content"]) == {"channels": [{"name": "größe"}]}
    assert said["content"] == "It looks periodic."
    assert last["content"] == "The rhythm is that of steps.\n\nConfidence: high\nFinal Answer: walking"
    metadata = thread.metadata
    assert (metadata["status"], metadata["num_turns"], metadata["num_responds"]) == ("finished", 3, 1)
    assert (metadata["is_correct"], metadata["confidence"], metadata["annotator"]) == (True, "high", "me")
    assert metadata["schema_version"] == "openai_v1" and metadata["migrated_from"] == OLD["thread_id"]
    assert thread.document["extra"] == {"kept": [1]} and thread.document["initial_context"] == OLD["initial_context"]
    assert {one.check for one in check_thread(thread)} <= {"consecutive"}
    assert (tmp_path / "threads_v3_backup/uci_har_session_001_v3_0042.json").read_bytes() == original
    assert not (space.threads / "uci_har_session_001_v3_0042.json").exists()
    assert migrate(space, summaries(space)) == []


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = made(tmp_path, OLD)
    assert run_command(["migrate", "--dry-run", "--json", "--workspace", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["migrated"], found["threads"][0]["id"]) == (1, "uci_har_session_001_v4_0042")
    assert [path.name for path in space.threads.glob("*.json")] == ["uci_har_session_001_v3_0042.json"]
    assert not (tmp_path / "threads_v3_backup").exists()


def test_no_thread_and_no_backup_is_ever_overwritten(tmp_path: Path):
    space = made(tmp_path, OLD)
    taken = space.threads / "uci_har_session_001_v4_0042.json"
    taken.write_text(json.dumps({"id": taken.stem, "metadata": {}, "messages": []}))
    backup = tmp_path / "threads_v3_backup"
    backup.mkdir()
    (backup / "uci_har_session_001_v3_0042.json").write_text("theirs")
    before = taken.read_bytes()
    done = migrate(space, summaries(space))
    assert done[0].id == "uci_har_session_001_v4_0043" and taken.read_bytes() == before
    assert (backup / "uci_har_session_001_v3_0042.json").read_text() == "theirs"
    assert (backup / "uci_har_session_001_v3_0042.2.json").exists()


def test_an_interrupted_migration_goes_on_without_a_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    space = made(tmp_path, OLD)

    def fail(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", fail)
        assert "no space left" in migrate(space, summaries(space))[0].problem
    done = migrate(space, summaries(space))
    assert done[0].problem == "" and len(thread_files.stems(space.threads)) == 1


def test_a_broken_v3_file_stays_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = made(tmp_path, {**OLD, "conversation": "gone"})
    assert run_command(["migrate", "--workspace", str(tmp_path)]) == 1
    assert "`conversation` is no list of turns" in capsys.readouterr().out
    assert (space.threads / "uci_har_session_001_v3_0042.json").exists()


def test_an_answer_in_the_last_turn_is_not_repeated(tmp_path: Path):
    turn = {"turn": 3, "action": "final_answer", "reasoning": "So.", "final_answer": "walking", "confidence": "low"}
    space = made(tmp_path, {**OLD, "conversation": [*OLD["conversation"], turn]})
    thread = store.read(space.threads, migrate(space, summaries(space))[0].id).thread
    assert thread.messages[-1]["content"] == "So.\n\nConfidence: low\nFinal Answer: walking"
    assert len(thread.messages) == 5
