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
        "tools": [one.schema for one in tools],
    }
    context = context_for(workspace, Thread(document))
    made = ""
    for place, (name, arguments) in enumerate(CALLS):
        text = json.dumps(arguments).replace("$made", made)
        outcome = call(tools, context, name, text)
        made = outcome.artifact_id or made
        one = {"id": f"c{place}", "type": "function", "function": {"name": name, "arguments": text}}
        document["messages"] += [
            {"role": "assistant", "content": "look", "tool_calls": [one]},
            {"role": "tool", "tool_call_id": f"c{place}", "name": name, "content": outcome.content},
        ]
    return Thread(document)


def changed(thread: Thread, old: str, new: str, count: int = -1, **document: Any) -> Thread:
    text = json.dumps(thread.document).replace(old, new, count)
    return Thread({**json.loads(text), **document})


def test_what_was_stored_comes_out_again(workspace: Workspace):
    found = replay(workspace, stored_thread(workspace))
    assert [one.status for one in found] == ["same"] * len(CALLS), [one.diff for one in found]
    assert [one.name for one in found] == [name for name, _ in CALLS]
    assert [one.message for one in found] == [1, 3, 5, 7, 9, 11]


def test_a_result_edited_by_one_digit_is_found_wherever_it_is(workspace: Workspace):
    thread = stored_thread(workspace)
    for place, message in enumerate(thread.messages):
        if message.get("role") != "tool":
            continue
        digits = [found.start() for found in re.finditer(r"(?<![a-z_])\d", str(message["content"]))]
        for at in digits[::7]:
            document = copy.deepcopy(dict(thread.document))
            text = document["messages"][place]["content"]
            document["messages"][place]["content"] = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
            found = [one for one in replay(workspace, Thread(document)) if one.status != "same"]
            assert [one.message for one in found] == [place - 1], text[at - 20 : at + 5]
            assert found[0].status == "differs" and "\n-" in found[0].diff and "\n+" in found[0].diff


def test_an_edited_artifact_id_is_found_and_a_random_one_of_elsewhere_is_mapped(workspace: Workspace):
    thread = stored_thread(workspace)
    made = json.loads(str(thread.messages[4]["content"]))["artifact_id"]
    edited = copy.deepcopy(dict(thread.document))
    edited["messages"][4]["content"] = edited["messages"][4]["content"].replace(made, "ts_0123456789ab")
    assert [one.status for one in replay(workspace, Thread(edited))].count("differs") == 1
    elsewhere = changed(thread, made, "ts_deadbeef")
    elsewhere = Thread({key: value for key, value in elsewhere.document.items() if key != "tools"})
    assert {one.status for one in replay(workspace, elsewhere)} == {"same"}


def test_a_result_marked_as_edited_is_no_failure(workspace: Workspace):
    thread = stored_thread(workspace)
    document = copy.deepcopy(dict(thread.document))
    document["messages"][2] |= {"content": "{}", "edited": True}
    found = replay(workspace, Thread(document))
    assert found[0].status == "edited" and "by hand" in found[0].reason
    assert {one.status for one in found[1:]} == {"same"}


def test_key_order_layout_and_object_contents_do_not_count(workspace: Workspace):
    document = copy.deepcopy(dict(stored_thread(workspace).document))
    for message in document["messages"]:
        if message["role"] == "tool":
            message["content"] = dict(reversed(json.loads(message["content"]).items()))
    assert {one.status for one in replay(workspace, Thread(document))} == {"same"}


def test_missing_data_are_said_and_are_no_failure(workspace: Workspace):
    thread = stored_thread(workspace)
    for metadata in ({"dataset": "gone"}, {"session": "gone"}):
        there = Thread({**thread.document, "metadata": {**thread.metadata, **metadata}})
        found = replay(workspace, there)
        assert {one.status for one in found} == {"cannot"} and "gone" in found[0].reason
    unanswered = Thread({**thread.document, "messages": thread.messages[:2]})
    assert replay(workspace, unanswered)[0].reason == "the call was never answered"


def test_a_tool_that_is_gone_cannot_be_replayed(workspace: Workspace):
    thread = changed(stored_thread(workspace), '"compute_spectrum"', '"my_own_tool"')
    found = {one.name: one for one in replay(workspace, thread)}
    assert found["my_own_tool"].status == "cannot" and "no tool" in found["my_own_tool"].reason


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
    found = json.loads(run.stdout)
    assert found["totals"] == {"same": 11, "differs": 1, "edited": 0, "cannot": 0}
    assert [one["id"] for one in found["threads"]] == ["made_s0_0000_v4_0001", "made_s1_0010_v4_0002"]
    run = CliRunner().invoke(
        command, ["made_s0_0000_v4_0001", "--workspace", str(workspace.root)], standalone_mode=False
    )
    assert run.return_value == 0
