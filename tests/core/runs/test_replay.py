from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from core.cli.replay import command
from core.runs.replay import replay
from core.runs.toolbox import context_for, open_toolbox
from core.storage.store import create
from core.thread.value import Thread
from core.workspace import Workspace, open_workspace
from tests.tools.made import made_dataset, write_dataset
from tools.registry import call

CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("show_channel_stats", {}),
    ("select_channels", {"channel_names": ["acc"]}),
    ("compute_spectrum", {"artifact_id": "$made"}),
    ("compare_to_reference", {"artifact_id": "$made"}),
    ("filter_by_time", {"start_sec": 9, "end_sec": 12}),
    ("no_such_tool", {}),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(3, 2))
    return open_workspace(str(tmp_path))


def stored_thread(workspace: Workspace, session: str = "s0_0000", number: int = 1) -> Thread:
    """A thread whose calls really ran."""
    tools = open_toolbox(workspace)
    about = {"dataset": "made", "session": session, "ground_truth": "walking"}
    document: dict[str, Any] = {
        "id": f"made_{session}_v4_{number:04d}",
        "metadata": about,
        "messages": [{"role": "user", "content": "Dataset Information:\n{}\n\nUser Query: what is it?"}],
        "tools": [tool.schema for tool in tools],
    }
    context = context_for(workspace, Thread(document))
    artifact = ""
    for step, (name, arguments) in enumerate(CALLS):
        text = json.dumps(arguments).replace("$made", artifact)
        outcome = call(tools, context, name, text)
        artifact = outcome.artifact_id or artifact
        tool_call = {"id": f"c{step}", "type": "function", "function": {"name": name, "arguments": text}}
        document["messages"] += [
            {"role": "assistant", "content": "look", "tool_calls": [tool_call]},
            {"role": "tool", "tool_call_id": f"c{step}", "name": name, "content": outcome.content},
        ]
    return Thread(document)


def changed(thread: Thread, old: str, new: str, count: int = -1, **document: Any) -> Thread:
    text = json.dumps(thread.document).replace(old, new, count)
    return Thread({**json.loads(text), **document})


def test_what_was_stored_comes_out_again(workspace: Workspace):
    replayed = replay(workspace, stored_thread(workspace))
    assert [again.status for again in replayed] == ["same"] * len(CALLS), [again.diff for again in replayed]
    assert [again.name for again in replayed] == [name for name, _ in CALLS]
    assert [again.message for again in replayed] == [1, 3, 5, 7, 9, 11]


def test_a_result_edited_by_one_digit_is_found_wherever_it_is(workspace: Workspace):
    thread = stored_thread(workspace)
    for index, message in enumerate(thread.messages):
        if message.get("role") != "tool":
            continue
        digits = [replayed.start() for replayed in re.finditer(r"(?<![a-z_])\d", str(message["content"]))]
        for at in digits[::7]:
            document = copy.deepcopy(dict(thread.document))
            text = document["messages"][index]["content"]
            document["messages"][index]["content"] = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
            replayed = [again for again in replay(workspace, Thread(document)) if again.status != "same"]
            assert [again.message for again in replayed] == [index - 1], text[at - 20 : at + 5]
            assert replayed[0].status == "differs" and "\n-" in replayed[0].diff and "\n+" in replayed[0].diff


def test_an_edited_artifact_id_is_found_and_a_random_one_of_elsewhere_is_mapped(workspace: Workspace):
    thread = stored_thread(workspace)
    artifact = json.loads(str(thread.messages[4]["content"]))["artifact_id"]
    edited = copy.deepcopy(dict(thread.document))
    edited["messages"][4]["content"] = edited["messages"][4]["content"].replace(artifact, "ts_0123456789ab")
    assert [again.status for again in replay(workspace, Thread(edited))].count("differs") == 1
    elsewhere = changed(thread, artifact, "ts_deadbeef")
    elsewhere = Thread({key: value for key, value in elsewhere.document.items() if key != "tools"})
    assert {again.status for again in replay(workspace, elsewhere)} == {"same"}


def test_a_result_marked_as_edited_is_no_failure(workspace: Workspace):
    thread = stored_thread(workspace)
    document = copy.deepcopy(dict(thread.document))
    document["messages"][2] |= {"content": "{}", "edited": True}
    replayed = replay(workspace, Thread(document))
    assert replayed[0].status == "edited" and "by hand" in replayed[0].reason
    assert {again.status for again in replayed[1:]} == {"same"}


def test_key_order_layout_and_object_contents_do_not_count(workspace: Workspace):
    document = copy.deepcopy(dict(stored_thread(workspace).document))
    for message in document["messages"]:
        if message["role"] == "tool":
            message["content"] = dict(reversed(json.loads(message["content"]).items()))
    assert {again.status for again in replay(workspace, Thread(document))} == {"same"}


def test_missing_data_are_said_and_are_no_failure(workspace: Workspace):
    thread = stored_thread(workspace)
    for metadata in ({"dataset": "gone"}, {"session": "gone"}):
        there = Thread({**thread.document, "metadata": {**thread.metadata, **metadata}})
        replayed = replay(workspace, there)
        assert {again.status for again in replayed} == {"cannot"} and "gone" in replayed[0].reason
    unanswered = Thread({**thread.document, "messages": thread.messages[:2]})
    assert replay(workspace, unanswered)[0].reason == "the call was never answered"


def test_a_tool_that_is_gone_cannot_be_replayed(workspace: Workspace):
    thread = changed(stored_thread(workspace), '"compute_spectrum"', '"my_own_tool"')
    replayed = {again.name: again for again in replay(workspace, thread)}
    assert replayed["my_own_tool"].status == "cannot" and "no tool" in replayed["my_own_tool"].reason


def test_the_command_tells_and_fails_only_for_a_difference(workspace: Workspace):
    create(workspace.threads, stored_thread(workspace))
    run = CliRunner().invoke(command, ["--workspace", str(workspace.root)], standalone_mode=False)
    assert run.return_value == 0 and "6 calls: 6 same" in run.stdout
    tampered = changed(stored_thread(workspace, "s1_0010", 2), '\\"samples\\": 200', '\\"samples\\": 201', 1)
    create(workspace.threads, tampered)
    (workspace.threads / "broken.json").write_text("{")
    run = CliRunner().invoke(command, ["--workspace", str(workspace.root)], standalone_mode=False)
    assert run.return_value == 1 and "201" in run.stdout and "broken.json" in run.stderr
    run = CliRunner().invoke(command, ["--json", "--workspace", str(workspace.root)], standalone_mode=False)
    told = json.loads(run.stdout)
    assert told["totals"] == {"same": 11, "differs": 1, "edited": 0, "cannot": 0}
    assert [thread["id"] for thread in told["threads"]] == ["made_s0_0000_v4_0001", "made_s1_0010_v4_0002"]
    run = CliRunner().invoke(
        command, ["made_s0_0000_v4_0001", "--workspace", str(workspace.root)], standalone_mode=False
    )
    assert run.return_value == 0
