"""Traces of agents over MCP as threads: what the server would have recorded, whichever way the messages were logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core import open_workspace, tasks
from core.incoming.importing import Outcome, import_threads
from core.mcp_server.work import Work
from core.storage.store import read
from core.thread.value import calls_of
from core.workspace import Workspace
from tests.core.small_demo import small_demo

Rpc = dict[str, Any]
ANSWER = {"text": " It repeats. ", "final_answer": "walking\nfast", "confidence": "low"}
ACTS: tuple[tuple[str, Rpc], ...] = (
    ("new_session", {}),
    ("detect_periodicity", {"channel_names": ["acc_x"]}),
    ("detect_periodicity", {"no": "such"}),
    ("show_channel_stats", {}),
    ("no_such_tool", {}),
    ("answer", {**ANSWER, "confidence": "very"}),
    ("answer", ANSWER),
)
WAYS: dict[str, Callable[[Rpc, bool], str]] = {
    "plain.jsonl": lambda message, _: json.dumps(message),
    "proxy.jsonl": lambda message, asks: json.dumps({"direction": "in" if asks else "out", "message": message}),
    "raw.ndjson": lambda message, asks: json.dumps({"request": asks, "raw": json.dumps(message)}),
    "desktop.log": lambda message, asks: (
        f"2026-11-27T10:00:00.000Z [sensors] [info] Message from {'client' if asks else 'server'}: "
        f"{json.dumps(message)} {{ metadata: undefined }}"
    ),
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return small_demo(tmp_path_factory.mktemp("traces"))


def traced(space: Workspace, acts: list[tuple[str, Rpc]], *, records: bool) -> tuple[list[tuple[Rpc, bool]], list[str]]:
    """The messages of an agent that does this, each with whether it asks, and the threads that the server wrote."""
    recorded: list[str] = []
    work = Work(tasks(space, "demo", count=3, seed=5), records=records, told=recorded.append)
    schemas = [
        {"name": tool["name"], "description": tool["description"], "inputSchema": tool["parameters"]}
        for tool in work.tools
    ]
    begun = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "an agent", "version": "1"}}
    messages: list[tuple[Rpc, bool]] = [
        ({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": begun}, True),
        ({"jsonrpc": "2.0", "id": 0, "result": {"capabilities": {}, "instructions": "…"}}, False),
        ({"jsonrpc": "2.0", "method": "notifications/initialized"}, True),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, True),
        ({"jsonrpc": "2.0", "id": 1, "result": {"tools": schemas}}, False),
    ]
    for number, (name, arguments) in enumerate(acts, 2):
        params = {"name": name, "arguments": arguments}
        result = work.call(name, arguments, "an agent")
        told = {"content": [{"type": "text", "text": result}], "isError": result.startswith('{"error":')}
        messages += (
            ({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}, True),
            ({"jsonrpc": "2.0", "id": number, "result": told}, False),
        )
    return messages, recorded


def brought(space: Workspace, way: str, messages: list[tuple[Rpc, bool]]) -> list[Outcome]:
    path = space.root / way
    path.write_text(
        "a proxy of somebody\n" * way.endswith("log") + "".join(WAYS[way](*each) + "\n" for each in messages)
    )
    return import_threads(space, [path])


@settings(max_examples=30, deadline=None)
@given(acts=some.lists(some.sampled_from(ACTS), max_size=12), way=some.sampled_from(list(WAYS)))
def test_a_trace_says_what_the_server_recorded(space: Workspace, acts: list[tuple[str, Rpc]], way: str):
    messages, recorded = traced(space, [ACTS[0], *acts], records=True)
    outcomes = brought(space, way, messages)
    assert [outcome.state for outcome in outcomes] == (["there"] * len(recorded) or ["refused"])


def test_an_agent_of_a_server_that_records_nothing_is_a_thread_without_an_answer(space: Workspace, tmp_path: Path):
    apart = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    messages, recorded = traced(apart, [ACTS[0], ACTS[1], ACTS[2], ACTS[0], ACTS[0], ACTS[3]], records=False)
    first, second = brought(apart, "proxy.jsonl", messages)
    assert not recorded and (first.state, second.state) == ("new", "new")
    assert (first.line, second.line) == (6, 14)  # of the requests that began them
    thread = read(apart.threads, first.id).thread
    assert [message["role"] for message in thread.messages] == ["user", *["assistant", "tool"] * 2]
    assert thread.metadata["model"] == "an agent" and thread.dataset == "imported" and thread.status != "finished"
    (call,) = calls_of(thread.messages[3])
    assert call["function"]["arguments"] == '{"no": "such"}' and "no parameter" in thread.messages[4]["content"]
    names = {tool["function"]["name"] for tool in thread.tools or ()}
    assert "detect_periodicity" in names and not names & {"new_session", "answer"}


def test_calls_whose_session_the_trace_does_not_show_are_refused_once_with_their_line(space: Workspace):
    messages, _ = traced(space, [ACTS[0], ACTS[1], ACTS[3]], records=False)
    (outcome,) = brought(space, "plain.jsonl", [*messages[:5], *messages[7:]])
    assert outcome.state == "refused" and outcome.line == 6 and "`new_session`" in outcome.problem


def test_a_log_without_a_session_is_refused_and_not_passed_over(space: Workspace):
    (space.root / "other.log").write_text('2026-11-27 an editor {"said": [}\n')
    (outcome,) = import_threads(space, [space.root / "other.log"])
    assert outcome.state == "refused" and "no session of `sensorloom mcp`" in outcome.problem


def test_what_no_thread_file_may_hold_is_refused_and_not_written(space: Workspace, tmp_path: Path):
    apart = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    messages, _ = traced(apart, [ACTS[0], ACTS[1]], records=False)
    for message, _asks in messages:
        for tool in message.get("result", {}).get("tools", ()):
            tool["inputSchema"] = {"maximum": float("nan")}  # Python writes it, and reads it
    (outcome,) = brought(apart, "plain.jsonl", messages)
    assert outcome.state == "refused" and "holds NaN, which JSON does not have" in outcome.problem
    assert not [*apart.threads.glob("*.json")]


def test_a_document_of_messages_and_a_connection_that_is_made_anew(space: Workspace, tmp_path: Path):
    apart = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    messages, _ = traced(apart, [ACTS[0], ACTS[1]], records=False)
    twice = [{"at": number, "frame": message} for number, (message, _) in enumerate([*messages[:-1], *messages])]
    path = tmp_path / "flight.json"
    path.write_text(json.dumps({"tool": "a recorder", "events": twice}))
    (outcome,) = import_threads(apart, [path])  # the first connection was cut before its call was answered
    assert outcome.state == "new" and outcome.line == 14
