from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pytest

from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice
from core.model.reply import TextAdded, Waiting
from core.runs.events import CallAnswered, QueryProposed, TurnAccepted, TurnEnded, TurnEvent, TurnProposed, TurnStarted
from core.runs.question import propose_question
from core.runs.turn_loop import propose, propose_many, run_to_end
from core.settings_tables import ModelSettings
from core.storage import history, store
from core.storage.store import Stored
from core.thread.updates import with_metadata
from core.thread.value import Message, Thread, calls_of, is_assistant
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, FakeServer, calls, delta, fails, fake_server, says
from tools.registry import ToolContext, tool

T = TypeVar("T")
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking")


@tool
def look(context: ToolContext, channel: str) -> dict[str, Any]:
    """Look at a channel.

    Args:
        channel: which one.
    """
    return {"channel": channel, "mean": 0.5, "session": context.session[:0]}


@tool
def stall(context: ToolContext) -> dict[str, Any]:
    """Wait until the test lets go."""
    cast("threading.Event", context.dataset).wait(30)
    return {"ok": True}


TOOLS = (look, stall)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return open_workspace(str(tmp_path), environ={})


def begun(workspace: Workspace, *further: dict[str, Any], **metadata: Any) -> Stored:
    document = {
        "id": "lab_s1_v4_0001",
        "metadata": {
            "dataset": "lab",
            "session": "s1",
            "ground_truth": "walking",
            "user_query": "What is it?",
            "max_turns": 10,
            **metadata,
        },
        "messages": [{"role": "user", "content": "Dataset Information:\n{}\n\nUser Query: What is it?"}, *further],
    }
    return store.create(workspace.threads, Thread(document))


def model(server: FakeServer, **settings: Any) -> Model:
    return Model(
        ModelChoice(
            Endpoint("lab", server.url),
            "fake",
            msgspec.convert(
                {"timeout_sec": 60.0, "first_token_timeout_sec": 60.0, **settings},
                ModelSettings,
            ),
        ),
        backoff_sec=0.01,
    )


def context(event: threading.Event | None = None) -> ToolContext:
    return ToolContext(cast("Any", event), "s1")


async def gathered(asked: Model, events: AsyncIterator[TurnEvent]) -> list[TurnEvent]:
    try:
        return [event async for event in events]
    finally:
        await asked.aclose()


async def proposed(server: FakeServer, thread: Thread, **settings: Any) -> list[TurnEvent]:
    asked = model(server, **settings)
    return await gathered(asked, propose(thread, thread.id, asked, TOOLS, context(), run="r"))


async def ran(server: FakeServer, workspace: Workspace, stored: Stored, **settings: Any) -> list[TurnEvent]:
    asked = model(server, **settings)
    return await gathered(asked, run_to_end(workspace, stored, asked, TOOLS, context(), run="r"))


def said_alone(message: Message) -> dict[str, Any]:
    """A message without what tells how it was made."""
    return {key: value for key, value in message.items() if key not in ("usage", "made_by")}


def the(kind: type[T], events: list[TurnEvent]) -> T:
    matching = [event for event in events if isinstance(event, kind)]
    assert len(matching) == 1, events
    return matching[0]


def valid(workspace: Workspace, stem: str = "lab_s1_v4_0001") -> Thread:
    """The thread as it is on disk: ids unique, every call answered right after it, counts right."""
    thread = store.read(workspace.threads, stem).thread
    ids = [call["id"] for message in thread.messages for call in calls_of(message)]
    assert len(ids) == len(set(ids))
    index = 0
    while index < len(thread.messages):
        wanted = [call["id"] for call in calls_of(thread.messages[index])]
        answers = thread.messages[index + 1 : index + 1 + len(wanted)]
        assert [message.get("tool_call_id") for message in answers] == wanted
        assert all(isinstance(message["content"], str) for message in (thread.messages[index], *answers))
        index += 1 + len(wanted)
    assert thread.metadata["num_turns"] == sum(map(is_assistant, thread.messages))
    return thread


async def test_a_turn_is_a_message_with_its_calls_answered_in_the_formats_shape(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(calls(("look", '{"channel": "x"}'), ("look", '{"channel": "y"}'))) as server:
        events = await proposed(server, stored.thread)
    proposal = the(TurnProposed, events).proposal
    assert (proposal.position, proposal.complete) == (1, True)
    first, second = "call_lab_s1_v4_0001_turn_1", "call_lab_s1_v4_0001_turn_1_2"
    assert tuple(map(said_alone, proposal.messages)) == (
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"id": first, "type": "function", "function": {"name": "look", "arguments": '{"channel": "x"}'}},
                {"id": second, "type": "function", "function": {"name": "look", "arguments": '{"channel": "y"}'}},
            ],
        },
        {
            "role": "tool",
            "tool_call_id": first,
            "name": "look",
            "content": '{"channel": "x", "mean": 0.5, "session": ""}',
        },
        {
            "role": "tool",
            "tool_call_id": second,
            "name": "look",
            "content": '{"channel": "y", "mean": 0.5, "session": ""}',
        },
    )
    assert list(proposal.messages[0]) == ["role", "content", "tool_calls", "made_by"]
    assert isinstance(events[0], TurnStarted)
    assert isinstance(events[-1], TurnEnded)
    assert store.read(workspace.threads, stored.stem) == stored


async def test_a_failing_call_an_unknown_tool_and_bad_json_are_told_to_the_model(workspace: Workspace) -> None:
    stored = begun(workspace)
    wrong = calls(("look", '{"chanel": 1}'), ("loook", "{}"), ("look", '{"channel": '))
    with fake_server(wrong, FINAL) as server:
        events = await ran(server, workspace, stored)
    answered = [event for event in events if isinstance(event, CallAnswered)]
    assert [event.failed for event in answered] == [True] * 3
    told = [json.loads(event.content)["error"] for event in answered]
    assert "chanel" in told[0]
    assert "loook" in told[1]
    assert "not JSON" in told[2]
    sent = server.requests[1]["messages"]
    assert [message["content"] for message in sent if message["role"] == "tool"] == [
        event.content for event in answered
    ]
    assert all(isinstance(json.loads(call["function"]["arguments"]), dict) for call in sent[2]["tool_calls"])
    thread = valid(workspace)
    assert calls_of(thread.messages[1])[2]["function"]["arguments"] == '{"channel":'
    assert thread.status == "finished"


async def test_a_run_saves_every_turn_and_ends_with_the_final_answer(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(calls(("look", '{"channel": "x"}')), FINAL) as server:
        events = await ran(server, workspace, stored, temperature=0.3, seed=5)
    accepted = [event.stored for event in events if isinstance(event, TurnAccepted)]
    assert [len(stored.thread.messages) for stored in accepted] == [3, 4]
    assert the(TurnEnded, events) == TurnEnded("r", stored.stem)
    thread = valid(workspace)
    assert thread == accepted[-1].thread
    assert thread.messages[-1]["tool_calls"] is None
    assert thread.tools == [tool.schema for tool in TOOLS]
    recorded = {
        key: thread.metadata[key] for key in ("status", "is_correct", "model", "temperature", "seed", "confidence")
    }
    assert recorded == {
        "status": "finished",
        "is_correct": True,
        "model": "fake",
        "temperature": 0.3,
        "seed": 5,
        "confidence": "high",
    }


async def test_a_call_written_as_text_ends_the_run_and_is_no_answer(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says('<tool_call>{"name": "look", "arguments": {"channel": "x"}}</tool_call>')) as server:
        events = await ran(server, workspace, stored)
    ended = the(TurnEnded, events)
    assert "the model wrote its call as text: start the server with its tool parser" in ended.error
    assert valid(workspace).status == "active"


async def test_a_call_written_as_text_is_carried_out_and_marked_where_that_is_asked(workspace: Workspace) -> None:
    stored = begun(workspace)
    written = says('I look.\n<tool_call>{"name": "look", "arguments": {"channel": "x"}}</tool_call>')
    with fake_server(written, FINAL) as server:
        await ran(server, workspace, stored, tool_text="parse")
    turn, result, answer = valid(workspace).messages[1:]
    assert turn["content"] == "I look."
    assert calls_of(turn)[0]["function"] == {"name": "look", "arguments": '{"channel": "x"}'}
    assert turn["made_by"]["tool_text"] == "parse"
    assert "error" not in json.loads(result["content"])
    assert set(answer["made_by"]) == {"seconds"}
    assert set(server.requests[1]["messages"][2]) == {"role", "content", "tool_calls"}


async def test_no_text_beside_calls_is_sent_as_null(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(calls(("look", '{"channel": "x"}'), text=""), FINAL) as server:
        await ran(server, workspace, stored)
    assert server.requests[1]["messages"][2]["content"] is None


async def test_the_system_prompt_is_sent_and_our_marks_are_not(workspace: Workspace) -> None:
    spoken = {
        "role": "assistant",
        "content": "Hm.",
        "train": False,
        "stale": True,
        "reasoning_content": "secret",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": {"channel": "x"}}}],
    }
    result = {"role": "tool", "tool_call_id": "c1", "name": "look", "content": {"mean": 1}, "edited": True, "x": 1}
    leading = {"role": "user", "content": {"type": "timeseries", "artifact_id": "ts_1"}}
    stored = begun(workspace, leading, spoken, result)
    with fake_server(FINAL) as server:
        await proposed(server, stored.thread)
    system, user, assistant, tool_message = server.requests[0]["messages"]
    assert system["role"] == "system"
    assert "Final Answer:" in system["content"]
    assert user["content"].startswith("Dataset Information:")
    assert '"artifact_id": "ts_1"' in user["content"]
    assert set(assistant) == {"role", "content", "tool_calls"}
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"channel": "x"}'
    assert set(tool_message) == {"role", "tool_call_id", "content"}
    assert json.loads(tool_message["content"]) == {"mean": 1}
    assert "walking" not in json.dumps(server.requests[0]["messages"])
    assert "s1" not in user["content"]


async def test_no_id_of_ours_reaches_the_model(workspace: Workspace) -> None:
    stored = begun(workspace)
    looks = calls(("look", '{"channel": "x"}'), ("look", '{"channel": "y"}'))
    with fake_server(looks, looks, FINAL) as server:
        await ran(server, workspace, stored)
    messages = server.requests[-1]["messages"]
    ids = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert ids == [message["tool_call_id"] for message in messages if message["role"] == "tool"]
    assert len(set(ids)) == 4
    assert all(len(sent_id) == 9 and sent_id.isalnum() for sent_id in ids)  # what Mistral's templates ask for
    assert "lab_s1" not in json.dumps(messages)


async def test_the_threads_own_tools_are_offered(workspace: Workspace) -> None:
    stored = begun(workspace)
    own = Thread({**stored.thread.document, "tools": [look.schema]})
    bare = Thread({**stored.thread.document, "tools": []})
    with fake_server(FINAL) as server:
        await proposed(server, own)
        await proposed(server, bare)
    assert server.requests[0]["tools"] == [look.schema]
    assert "tools" not in server.requests[1]


async def test_reasoning_is_proposed_apart_and_stored_only_when_asked(workspace: Workspace) -> None:
    stored = begun(workspace)
    thinking = says("<think>hm</think>Final Answer: walking")
    with fake_server(thinking) as server:
        left_out = the(TurnProposed, await proposed(server, stored.thread)).proposal
        proposal = the(TurnProposed, await proposed(server, stored.thread, keep_reasoning=True)).proposal
    assert (left_out.reasoning, "reasoning_content" in left_out.messages[0]) == ("hm", False)
    assert proposal.messages[0]["reasoning_content"] == "hm"


async def test_calls_left_unanswered_are_carried_out_first(workspace: Workspace) -> None:
    tool_calls = [
        {"id": call_id, "type": "function", "function": {"name": "look", "arguments": '{"channel": "x"}'}}
        for call_id in ("a", "b")
    ]
    asked = {"role": "assistant", "content": "", "tool_calls": tool_calls}
    stored = begun(workspace, asked, {"role": "tool", "tool_call_id": "a", "name": "look", "content": "{}"})
    with fake_server(FINAL) as server:
        await ran(server, workspace, stored)
    thread = valid(workspace)
    assert [message["role"] for message in thread.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    sent = server.requests[0]["messages"]
    assert [call["id"] for call in sent[2]["tool_calls"]] == [message["tool_call_id"] for message in sent[3:]]


async def test_call_ids_stay_unique_after_edits(workspace: Workspace) -> None:
    earlier = {
        "id": "call_lab_s1_v4_0001_turn_2_3",
        "type": "function",
        "function": {"name": "look", "arguments": "{}"},
    }
    asked = {"role": "assistant", "content": "", "tool_calls": [earlier]}
    stored = begun(workspace, asked, {"role": "tool", "tool_call_id": earlier["id"], "name": "look", "content": "{}"})
    with fake_server(calls(("look", "{}"), ("look", "{}"), ("look", "{}")), FINAL) as server:
        await ran(server, workspace, stored)
    ids = [call["id"] for message in valid(workspace).messages for call in calls_of(message)]
    assert ids[1] == "call_lab_s1_v4_0001_turn_3"


async def test_the_limit_of_turns_ends_a_run(workspace: Workspace) -> None:
    stored = begun(workspace, max_turns=2)
    with fake_server(calls(("look", '{"channel": "x"}'))) as server:
        events = await ran(server, workspace, stored)
    assert the(TurnEnded, events).error == ""
    assert valid(workspace).status == "max_turns_reached"
    assert len(server.requests) == 2


async def test_an_answer_without_a_final_line_is_set_aside_and_asked_for_again(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says("I think it walks."), FINAL) as server:
        events = await ran(server, workspace, stored)
    thread = valid(workspace)
    assert [message["role"] for message in thread.messages] == ["user", "assistant"]
    assert thread.alternatives[0]["messages"][0]["content"] == "I think it walks."
    assert "Final Answer" in server.requests[1]["messages"][-1]["content"]
    assert the(TurnEnded, events).error == ""
    assert thread.status == "finished"


async def test_a_model_that_never_gives_a_final_answer_ends_the_run_with_all_it_said_kept(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says("I think it walks.")) as server:
        events = await ran(server, workspace, stored)
    assert "answered 3 times without a `Final Answer:` line" in the(TurnEnded, events).error
    thread = valid(workspace)
    assert (len(thread.messages), len(thread.alternatives), thread.status) == (1, 3, "active")


async def test_a_person_may_propose_a_plain_response(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(says("It repeats twice a second.")) as server:
        proposal = the(TurnProposed, await proposed(server, stored.thread)).proposal
    spoken = {"role": "assistant", "content": "It repeats twice a second.", "tool_calls": None}
    assert tuple(map(said_alone, proposal.messages)) == (spoken,)


async def test_a_finished_thread_is_not_run_on(workspace: Workspace) -> None:
    stored = begun(workspace, {"role": "assistant", "content": "Final Answer: walking", "tool_calls": None})
    with fake_server(FINAL) as server:
        single = await proposed(server, stored.thread)
        whole = await ran(server, workspace, stored)
    assert "branch" in the(TurnEnded, single).error
    assert whole == [TurnEnded("r", stored.stem)]
    assert server.requests == []


async def test_a_cut_stream_gives_a_partial_proposal_a_valid_thread_and_a_working_retry(workspace: Workspace) -> None:
    stored = begun(workspace)
    whole = calls(("look", '{"channel": "x"}'), ("look", '{"channel": "y"}')).chunks
    with fake_server(calls(("look", '{"channel": "x"}')), Answer(whole[:-3], then="cut"), FINAL) as server:
        events = await ran(server, workspace, stored)
        ended = the(TurnEnded, events)
        assert "before the reply was whole" in ended.error
        assert ended.partial is not None
        assert not ended.partial.complete
        assert [message["role"] for message in ended.partial.messages] == ["assistant", "tool"]
        assert ended.partial.messages[0]["content"] == "Let me look."
        assert len(valid(workspace).messages) == 3
        again = await ran(server, workspace, store.read(workspace.threads, stored.stem))
    assert the(TurnEnded, again).error == ""
    assert valid(workspace).status == "finished"


TROUBLE = {
    "429": fails(429, "slow down", Retry_After="3600"),
    "500": fails(500, "out of memory"),
    "hang": Answer(hang_first=True),
    "cut": Answer([delta(content="Half")], then="cut"),
}


@pytest.mark.parametrize("kind", TROUBLE)
async def test_trouble_in_the_middle_of_a_run_loses_nothing_and_can_be_run_again(
    workspace: Workspace, kind: str
) -> None:
    stored = begun(workspace)
    with fake_server(calls(("look", '{"channel": "x"}')), TROUBLE[kind]) as server:
        soon = {"first_token_timeout_sec": 0.5, "connect_timeout_sec": 0.5} if kind == "hang" else {}
        events = await ran(server, workspace, stored, **soon)
        assert len(the(TurnEnded, events).error) > 20
        assert valid(workspace).status == "active"
        server.script = [FINAL]
        await ran(server, workspace, store.read(workspace.threads, stored.stem))
    thread = valid(workspace)
    assert thread.status == "finished"
    assert [message["role"] for message in thread.messages] == ["user", "assistant", "tool", "assistant"]


async def test_waiting_is_reported(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(fails(503, "loading"), FINAL) as server:
        events = await ran(server, workspace, stored)
    assert "503" in the(Waiting, events).reason


async def test_stopping_keeps_what_came_as_a_proposal(workspace: Workspace) -> None:
    stored = begun(workspace)
    events: list[TurnEvent] = []
    with fake_server(Answer([delta(content="Half an ans")], then="hang")) as server:
        asked = model(server)

        async def run() -> None:
            async for event in run_to_end(workspace, stored, asked, TOOLS, context(), run="r"):
                events.append(event)

        task = asyncio.create_task(run())
        await until(lambda: any(isinstance(event, TextAdded) for event in events))
        task.cancel()
        await task
        await asked.aclose()
    ended = the(TurnEnded, events)
    assert ended.cancelled
    assert ended.partial is not None
    assert ended.partial.messages[0]["content"] == "Half an ans"
    assert valid(workspace) == stored.thread


async def test_a_tool_that_takes_long_delays_nothing_else_and_can_be_stopped(workspace: Workspace) -> None:
    stored = begun(workspace)
    gate = threading.Event()
    events: list[TurnEvent] = []
    with fake_server(calls(("stall", "{}"))) as server:
        asked = model(server)

        async def run() -> None:
            async for event in propose(stored.thread, stored.stem, asked, TOOLS, context(gate), run="r"):
                events.append(event)

        task = asyncio.create_task(run())
        await until(lambda: any(isinstance(event, TextAdded) for event in events))
        await asyncio.sleep(0)
        task.cancel()
        await task
        gate.set()
        await asked.aclose()
    partial = the(TurnEnded, events).partial
    assert partial is not None
    assert [message["role"] for message in partial.messages] == ["assistant"]
    assert partial.messages[0]["tool_calls"] is None


async def test_a_verdict_set_meanwhile_by_another_program_is_kept(workspace: Workspace) -> None:
    stored = begun(workspace)
    store.save(workspace.threads, stored, with_metadata(stored.thread, tags=["good"]))
    with fake_server(FINAL) as server:
        events = await ran(server, workspace, stored)
    assert the(TurnEnded, events).error == ""
    thread = valid(workspace)
    assert (thread.status, thread.metadata["tags"]) == ("finished", ["good"])


async def test_messages_changed_meanwhile_are_not_overwritten_and_the_turn_is_handed_back(workspace: Workspace) -> None:
    stored = begun(workspace)
    other = begun_again(workspace, stored)
    with fake_server(FINAL) as server:
        events = await ran(server, workspace, stored)
    ended = the(TurnEnded, events)
    assert "changed by another program" in ended.error
    assert ended.partial is not None
    assert ended.partial.complete
    assert store.read(workspace.threads, stored.stem) == other


def begun_again(workspace: Workspace, stored: Stored) -> Stored:
    changed = Thread({**stored.thread.document, "messages": [{"role": "user", "content": "Something else"}]})
    return store.save(workspace.threads, stored, changed)


async def test_every_turn_of_a_run_can_be_undone(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(calls(("look", '{"channel": "x"}')), FINAL) as server:
        await ran(server, workspace, stored)
    assert len(history.read(workspace, stored.stem).done) == 2


async def test_samples_come_at_once_each_with_a_run_of_its_own(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(FINAL) as server:
        asked = model(server, seed=3)
        events = await gathered(
            asked, propose_many(stored.thread, stored.stem, asked, TOOLS, context(), count=3, run="r")
        )
    runs = {event.run for event in events if isinstance(event, TurnProposed)}
    assert runs == {"r/1", "r/2", "r/3"}
    assert [event.run for event in events if isinstance(event, TurnEnded)][-1] == "r"
    assert sum(isinstance(event, TurnEnded) for event in events) == 4
    assert {request["seed"] for request in server.requests} == {3, 4, 5}


async def test_samples_that_fail_or_are_stopped_all_end(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = begun(workspace)
    with fake_server(Answer([delta(content="Half")], then="hang")) as server:
        asked = model(server)
        events: list[TurnEvent] = []

        async def run() -> None:
            samples = propose_many(stored.thread, stored.stem, asked, TOOLS, context(), count=3, run="r")
            async for event in samples:
                events.append(event)

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        task.cancel()
        await task
        assert [event.cancelled for event in events if isinstance(event, TurnEnded)] == [True] * 4
        monkeypatch.setattr(Model, "name", lambda _: 1 / 0)
        events.clear()
        await run()
        await asked.aclose()
    errors = [event.error for event in events if isinstance(event, TurnEnded)]
    assert ["ZeroDivisionError" in error for error in errors] == [True, True, True, False]


async def test_half_a_character_in_a_thread_can_be_sent(workspace: Workspace, hostile: str) -> None:
    arguments = json.dumps({"channel": hostile})
    tool_call = {"id": "a", "type": "function", "function": {"name": "look", "arguments": arguments}}
    asked = {"role": "assistant", "content": hostile, "tool_calls": [tool_call]}
    stored = begun(workspace, asked, {"role": "tool", "tool_call_id": "a", "name": "look", "content": hostile})
    with fake_server(says(hostile + "\nFinal Answer: walking")) as server:
        events = await ran(server, workspace, stored)
    assert the(TurnEnded, events).error == ""
    assert server.requests[0]["messages"][2]["content"] == hostile.replace("\ud800", "\ufffd")
    valid(workspace)


async def test_what_was_set_is_recorded(workspace: Workspace) -> None:
    stored = begun(workspace)
    with fake_server(FINAL) as server:
        await ran(server, workspace, stored, max_tokens=200, temperature=0.0)
    assert (valid(workspace).metadata["max_tokens"], valid(workspace).metadata["temperature"]) == (200, 0.0)
    assert "seed" not in valid(workspace).metadata


async def test_a_retry_with_a_seed_is_another_sample(workspace: Workspace) -> None:
    stored = begun(workspace)
    aside = Thread({**stored.thread.document, "alternatives": [{"position": 1, "messages": []}]})
    with fake_server(FINAL) as server:
        proposal = the(TurnProposed, await proposed(server, aside, seed=3)).proposal
    assert server.requests[0]["seed"] == proposal.generation.seed == 4


async def test_a_question_is_proposed_from_the_manifest_alone() -> None:
    with fake_server(says('"What is this person doing?"\n')) as server:
        asked = model(server)
        manifest = {"dataset_name": "lab", "activities": ["walking"]}
        events = await gathered(asked, propose_question(manifest, asked, run="r"))
    assert the(QueryProposed, events).text == "What is this person doing?"
    system, user = server.requests[0]["messages"]
    assert (
        system["content"].splitlines()[0] == "You propose the question a person asks about a recorded sensor session."
    )
    assert json.loads(user["content"].removeprefix("Dataset Information:\n")) == manifest
    assert "tools" not in server.requests[0]


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)
