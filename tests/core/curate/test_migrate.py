from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.cli.commands import run_command
from core.curate.migrate import migrate
from core.curate.undoing import redo_latest, undo_latest
from core.curate.v3_conversion import converted
from core.errors import UsageError
from core.lint import check_thread
from core.settings import Settings
from core.storage import store, thread_files
from core.thread.json_form import decode, encode
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


def v3_stems(workspace: Workspace) -> list[str]:
    paths = sorted(workspace.threads.glob("*.json"))
    return [path.stem for path in paths if b"conversation" in path.read_bytes()]


def workspace_with(root: Path, *documents: dict[str, Any]) -> Workspace:
    threads = root / "threads"
    threads.mkdir()
    for document in documents:
        (threads / f"{document['thread_id']}.json").write_text(json.dumps(document))
    return Workspace(root, threads, root / "exports", root / "data", Settings())


def test_turns_answer_and_unknown_fields_come_over(tmp_path: Path):
    space = workspace_with(tmp_path, OLD)
    original = (space.threads / "uci_har_session_001_v3_0042.json").read_bytes()
    done = migrate(space, v3_stems(space))
    assert [(outcome.id, outcome.problem) for outcome in done] == [("uci_har_session_001_v4_0042", "")]
    thread = store.read(space.threads, done[0].id).thread
    first, asked, answered, response, last = thread.messages
    assert first["content"].endswith("\n\nUser Query: What activity is being performed?")
    assert asked["content"] == "I look at the channels." and asked["timestamp"] == "2025-10-01T00:00:00"
    assert asked["tool_calls"][0]["id"] == answered["tool_call_id"] == f"call_{thread.id}_turn_1"
    assert json.loads(asked["tool_calls"][0]["function"]["arguments"]) == {"dataset_name": "uci_har"}
    assert json.loads(answered["content"]) == {"channels": [{"name": "größe"}]}
    assert response["content"] == "It looks periodic."
    assert last["content"] == "The rhythm is that of steps.\n\nConfidence: high\nFinal Answer: walking"
    metadata = thread.metadata
    assert (metadata["status"], metadata["num_turns"], metadata["num_responds"]) == ("finished", 3, 1)
    assert (metadata["is_correct"], metadata["confidence"], metadata["annotator"]) == (True, "high", "me")
    assert metadata["schema_version"] == "openai_v1" and metadata["migrated_from"] == OLD["thread_id"]
    assert thread.document["extra"] == {"kept": [1]} and thread.document["initial_context"] == OLD["initial_context"]
    assert {finding.check for finding in check_thread(thread)} <= {"consecutive"}
    assert (tmp_path / "threads_v3_backup/uci_har_session_001_v3_0042.json").read_bytes() == original
    assert not (space.threads / "uci_har_session_001_v3_0042.json").exists()
    assert migrate(space, v3_stems(space)) == []


def test_a_dry_run_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace_with(tmp_path, OLD)
    assert run_command(["migrate", "--dry-run", "--json", "--workspace", str(tmp_path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["migrated"], document["threads"][0]["id"]) == (1, "uci_har_session_001_v4_0042")
    assert [path.name for path in space.threads.glob("*.json")] == ["uci_har_session_001_v3_0042.json"]
    assert not (tmp_path / "threads_v3_backup").exists()


def test_no_thread_and_no_backup_is_ever_overwritten(tmp_path: Path):
    space = workspace_with(tmp_path, OLD)
    other = space.threads / "uci_har_session_001_v4_0042.json"
    other.write_text(json.dumps({"id": other.stem, "metadata": {}, "messages": []}))
    backup = tmp_path / "threads_v3_backup"
    backup.mkdir()
    (backup / "uci_har_session_001_v3_0042.json").write_text("theirs")
    before = other.read_bytes()
    done = migrate(space, v3_stems(space))
    assert done[0].id == "uci_har_session_001_v4_0043" and other.read_bytes() == before
    assert (backup / "uci_har_session_001_v3_0042.json").read_text() == "theirs"
    assert (backup / "uci_har_session_001_v3_0042.2.json").exists()


def test_an_interrupted_migration_goes_on_without_a_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    space = workspace_with(tmp_path, OLD)

    def fail(path: Path, missing_ok: bool = False) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", fail)
        assert "no space left" in migrate(space, v3_stems(space))[0].problem
    done = migrate(space, v3_stems(space))
    assert done[0].problem == "" and len(thread_files.stems(space.threads)) == 1


def test_one_undo_brings_the_originals_back_and_takes_the_converted_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    space = workspace_with(tmp_path, OLD, {**OLD, "thread_id": "uci_har_session_002_v3_0007"})
    (space.threads / "the same ü.json").write_bytes((space.threads / f"{OLD['thread_id']}.json").read_bytes())
    before = {path.name: path.read_bytes() for path in space.threads.glob("*.json")}
    assert run_command(["migrate", "--workspace", str(tmp_path)]) == 0
    assert "`sensorloom undo` takes it back" in capsys.readouterr().out
    after = {path.name: path.read_bytes() for path in space.threads.glob("*.json")}
    assert len(after) == 2 and not after.keys() & before.keys()
    assert run_command(["undo", "--workspace", str(tmp_path)]) == 0
    assert "undid: conversion from v3 of 5 threads ·" in capsys.readouterr().out
    assert {path.name: path.read_bytes() for path in space.threads.glob("*.json")} == before
    assert run_command(["redo", "--workspace", str(tmp_path)]) == 0
    assert {path.name: path.read_bytes() for path in space.threads.glob("*.json")} == after


def test_what_was_converted_taken_back_and_converted_again_is_there_once_whatever_is_redone(tmp_path: Path):
    twin = {**OLD, "extra": "another file of the same id"}
    space = workspace_with(tmp_path, OLD)
    (space.threads / "twin.json").write_text(json.dumps(twin))
    names = [outcome.id for outcome in migrate(space, v3_stems(space))]
    undo_latest(space)
    assert [outcome.id for outcome in migrate(space, v3_stems(space))] == names and len(set(names)) == 2
    for act in (redo_latest, undo_latest, redo_latest, redo_latest):
        with suppress(UsageError):
            act(space)
    assert [path.stem for path in sorted(space.threads.glob("*.json"))] == sorted(names)


def test_a_broken_v3_file_stays_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace_with(tmp_path, {**OLD, "conversation": "gone"})
    assert run_command(["migrate", "--workspace", str(tmp_path)]) == 1
    assert "`conversation` is no list of turns" in capsys.readouterr().out
    assert (space.threads / "uci_har_session_001_v3_0042.json").exists()


def test_an_answer_in_the_last_turn_is_not_repeated(tmp_path: Path):
    turn = {"turn": 3, "action": "final_answer", "reasoning": "So.", "final_answer": "walking", "confidence": "low"}
    space = workspace_with(tmp_path, {**OLD, "conversation": [*OLD["conversation"], turn]})
    thread = store.read(space.threads, migrate(space, v3_stems(space))[0].id).thread
    assert thread.messages[-1]["content"] == "So.\n\nConfidence: low\nFinal Answer: walking"
    assert len(thread.messages) == 5


def test_two_files_of_one_thread_id_become_two_threads(tmp_path: Path):
    space = workspace_with(tmp_path, OLD)
    other = {**OLD, "explanation": "Another annotator's."}
    (space.threads / "copy_of_0042.json").write_text(json.dumps(other))
    planned = migrate(space, v3_stems(space), dry_run=True)
    outcomes = migrate(space, v3_stems(space))
    assert [outcome.problem for outcome in outcomes] == ["", ""]
    assert [outcome.id for outcome in planned] == [outcome.id for outcome in outcomes]
    texts = {store.read(space.threads, outcome.id).thread.messages[-1]["content"][:12] for outcome in outcomes}
    assert texts == {"The rhythm i", "Another anno"}
    assert len(list((tmp_path / "threads_v3_backup").iterdir())) == 2


def test_calls_and_results_in_the_plural_come_over(tmp_path: Path):
    turn = {
        "action": "use_tool",
        "reasoning": "Two looks.",
        "tool_calls": [
            {"tool_name": "show_channel_stats", "parameters": {"dataset_name": "uci_har"}},
            {"id": "c2", "function": {"name": "compute_spectrum", "arguments": '{"channel": "x"}'}},
        ],
        "tool_results": [
            {"tool_call_id": "c2", "result": {"hz": 2.0}},
            {"tool_name": "show_channel_stats", "result": "plain"},
        ],
        "response": "So it walks.",
    }
    thread = converted({**OLD, "conversation": [turn]}, "t_v4_0001", {})
    asked, first, second, response, _ = thread.messages[1:]
    assert [call["function"]["name"] for call in asked["tool_calls"]] == ["show_channel_stats", "compute_spectrum"]
    assert [call["id"] for call in asked["tool_calls"]] == ["call_t_v4_0001_turn_1", "call_t_v4_0001_turn_1_2"]
    assert (first["tool_call_id"], first["content"]) == ("call_t_v4_0001_turn_1", "plain")
    assert (second["tool_call_id"], json.loads(second["content"])) == ("call_t_v4_0001_turn_1_2", {"hz": 2.0})
    assert response["content"] == "So it walks."
    assert decode(encode(thread), "t").document == thread.document


CALL = {"tool_name": "a", "parameters": {}}
ODD_TURNS: dict[str, tuple[dict[str, Any], str]] = {
    "more results than calls": ({"tool_call": CALL, "tool_results": [1, 2]}, "turn 2: 2 results for 1 calls"),
    "a result without a call": ({"tool_result": {"x": 1}}, "turn 2: 1 results for 0 calls"),
    "a call without a name": ({"tool_call": {"parameters": {}}}, "turn 2: a tool call names no tool"),
    "a call that is a text": ({"tool_calls": ["a(1)"]}, "turn 2: a tool call is no object"),
    "a result of another call": (
        {"tool_calls": [CALL, {"tool_name": "b"}], "tool_results": [{"name": "c", "result": 1}]},
        "turn 2: a result is of `c`",
    ),
    "two different calls": ({"tool_call": CALL, "tool_calls": [{"tool_name": "b"}]}, "turn 2: `tool_call` and"),
}


@pytest.mark.parametrize("odd", ODD_TURNS.values(), ids=ODD_TURNS)
def test_an_odd_file_is_named_and_stops_no_other(tmp_path: Path, odd: tuple[dict[str, Any], str]):
    turn, sentence = odd
    turns = [OLD["conversation"][0], {"action": "use_tool", **turn}]
    space = workspace_with(
        tmp_path, {**OLD, "thread_id": "a_v3_1", "conversation": turns}, {**OLD, "thread_id": "b_v3_1"}
    )
    first, second = migrate(space, v3_stems(space))
    assert first.problem.startswith(f"a_v3_1.json: {sentence}") and (space.threads / "a_v3_1.json").exists()
    assert (second.id, second.problem) == ("b_v4_1", "")
