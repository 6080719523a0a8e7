from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from core.errors import ModelError
from core.model import errors
from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice
from core.model.reply import ArgumentsAdded, CallAdded, CallWritten, Reply, TextAdded, Waiting
from core.settings_tables import ModelSettings
from tests.fake_server import Answer, FakeServer, calls, delta, fails, fake_server, fragment, says, usage

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("look", "listen")
]
ASKED = [{"role": "user", "content": "What is it?"}]


def chosen(server: FakeServer | str, **settings: Any) -> ModelChoice:
    url = server if isinstance(server, str) else server.url
    return ModelChoice(
        Endpoint("lab", url),
        "fake",
        msgspec.convert(
            {"timeout_sec": 60.0, "first_token_timeout_sec": settings.get("timeout_sec", 60.0), **settings},
            ModelSettings,
        ),
    )


async def asked(choice: ModelChoice, tools: Any = (), seed: int | None = None) -> tuple[Reply, list[Any], str]:
    """The reply, the events, and the error's sentence."""
    model, reply, events = Model(choice, backoff_sec=0.01), Reply("run"), list[Any]()
    try:
        async for event in model.stream(reply, ASKED, tools, seed):
            events.append(event)
    except ModelError as error:
        return reply, events, str(error)
    finally:
        await model.aclose()
    return reply, events, ""


def texts(events: list[Any], *, reasoning: bool = False) -> str:
    return "".join(event.text for event in events if isinstance(event, TextAdded) and event.reasoning is reasoning)


def written(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.name, event.arguments) for event in events if isinstance(event, CallWritten)]


async def test_text_streams_in_pieces_and_usage_is_kept() -> None:
    with fake_server(says("It is walking.\n\nFinal Answer: walking")) as server:
        reply, events, problem = await asked(chosen(server))
    assert problem == ""
    assert reply.text == texts(events) == "It is walking.\n\nFinal Answer: walking"
    assert len(events) > 3
    assert (reply.prompt_tokens, reply.completion_tokens) == (11, 6)


async def test_what_is_set_is_sent_and_what_is_not_is_left_to_the_server() -> None:
    with fake_server(says("ok")) as server:
        await asked(chosen(server, temperature=0.0, seed=7, max_tokens=99), TOOLS)
        await asked(chosen(server))
        await asked(chosen(server, seed=7), seed=9)
    first, second, third = server.requests
    assert {key: first[key] for key in ("model", "temperature", "seed", "max_tokens")} == {
        "model": "fake",
        "temperature": 0.0,
        "seed": 7,
        "max_tokens": 99,
    }
    assert first["tools"] == TOOLS
    assert set(second) == {"model", "messages", "stream", "stream_options"}
    assert third["seed"] == 9


async def test_two_parallel_calls_in_fragments() -> None:
    wanted = (("look", '{"at": "body_acc_x", "from": 0.5}'), ("listen", '{"to": "é\\n"}'))
    with fake_server(calls(*wanted)) as server:
        reply, events, problem = await asked(chosen(server), TOOLS)
    assert problem == ""
    assert written(events) == list(wanted)
    assert [event.name for event in events if isinstance(event, CallAdded)] == ["look", "listen"]
    for index, (_, arguments) in enumerate(wanted):
        pieces = [event.text for event in events if isinstance(event, ArgumentsAdded) and event.index == index]
        assert "".join(pieces) == arguments
    assert reply.text == "Let me look."


async def test_a_call_is_reported_whole_before_the_next_one_is_streamed() -> None:
    with fake_server(calls(("look", '{"a": 1}'), ("listen", '{"b": 2}'))) as server:
        _, events, _ = await asked(chosen(server), TOOLS)
    order = [type(event).__name__ for event in events if isinstance(event, CallAdded | CallWritten)]
    assert order == ["CallAdded", "CallWritten", "CallAdded", "CallWritten"]


WHOLE = {"name": "look", "arguments": '{"a": 1}'}
SHAPES: dict[str, tuple[list[Any], list[tuple[str, str]]]] = {
    "whole call in one chunk": (
        [delta("tool_calls", tool_calls=[{"index": 0, "id": "x", "function": WHOLE}])],
        [("look", '{"a": 1}')],
    ),
    "two whole calls in one chunk without an index": (
        [delta("tool_calls", tool_calls=[{"id": "x", "function": WHOLE}, {"id": "y", "function": WHOLE}])],
        [("look", '{"a": 1}')] * 2,
    ),
    "neither index nor id": (
        [
            fragment(None, '{"a"', name="look"),
            fragment(None, ": 1}"),
            fragment(None, "{}", name="listen"),
            delta("stop"),
        ],
        [("look", '{"a": 1}'), ("listen", "{}")],
    ),
    "every call numbered 0": (
        [fragment(0, '{"a": 1}', name="look", call="x"), fragment(0, '{"a": 1}', name="look", call="y"), delta("stop")],
        [("look", '{"a": 1}')] * 2,
    ),
    "one id for both calls": (
        [fragment(0, '{"a": 1}', name="look", call="x"), fragment(1, "{}", name="look", call="x"), delta("tool_calls")],
        [("look", '{"a": 1}'), ("look", "{}")],
    ),
    "id and name in every fragment": (
        [fragment(0, '{"a"', name="look", call="x"), fragment(0, ": 1}", name="look", call="x"), delta("tool_calls")],
        [("look", '{"a": 1}')],
    ),
    "a name in two pieces": (
        [fragment(0, name="lo", call="x"), fragment(0, name="ok"), fragment(0, "{}"), delta("tool_calls")],
        [("look", "{}")],
    ),
    "calls interleaved": (
        [
            fragment(0, '{"a', name="look", call="x"),
            fragment(1, '{"b', name="listen", call="y"),
            fragment(0, '": 1}'),
            fragment(1, '": 2}'),
            delta("tool_calls"),
        ],
        [("look", '{"a": 1}'), ("listen", '{"b": 2}')],
    ),
    "arguments as an object": (
        [delta("tool_calls", tool_calls=[{"index": 0, "function": {"name": "look", "arguments": {"a": 1}}}])],
        [("look", '{"a": 1}')],
    ),
    "no arguments": ([fragment(0, name="look", call="x"), delta("tool_calls")], [("look", "{}")]),
    "no arguments, then another call": (
        [fragment(0, "", name="look", call="x"), fragment(1, "{}", name="listen", call="y"), delta("tool_calls")],
        [("look", "{}"), ("listen", "{}")],
    ),
    "no name": ([fragment(0, '{"a": 1}', call="x"), delta("tool_calls")], [("unnamed_tool", '{"a": 1}')]),
    "an empty call beside a good one": (
        [fragment(0, '{"a": 1}', name="look"), fragment(1, "", name=""), delta("tool_calls")],
        [("look", '{"a": 1}')],
    ),
    "finish_reason stop with calls": ([fragment(0, "{}", name="look", call="x"), delta("stop")], [("look", "{}")]),
    "finish_reason in the chunk of the call": (
        [delta("stop", content="", tool_calls=[{"index": 0, "id": "x", "type": "function", "function": WHOLE}])],
        [("look", '{"a": 1}')],
    ),
    "a further call at the same index before any arguments": (
        [
            fragment(0, "", name="look", call="x"),
            fragment(0, "", name="look", call="y"),
            fragment(0, '{"a": 1}', call="y"),
            delta("tool_calls"),
        ],
        [("look", "{}"), ("look", '{"a": 1}')],
    ),
    "two calls without arguments, numbered 0, with ids": (
        [fragment(0, name="look", call="x"), fragment(0, name="look", call="y"), delta("tool_calls")],
        [("look", "{}"), ("look", "{}")],
    ),
    "two calls without arguments, numbered 0, without ids": (
        [fragment(0, name="look"), fragment(0, name="listen"), delta("tool_calls")],
        [("look", "{}"), ("listen", "{}")],
    ),
    "a name repeated in every chunk, the last one without arguments": (
        [
            fragment(0, '{"a"', name="look"),
            fragment(0, ": 1}", name="look"),
            fragment(0, "", name="look"),
            fragment(0, name="look"),
            delta("tool_calls"),
        ],
        [("look", '{"a": 1}')],
    ),
    "a name repeated before the arguments": (
        [fragment(0, name="look"), fragment(0, "", name="look"), fragment(0, '{"a": 1}', name="look"), delta("stop")],
        [("look", '{"a": 1}')],
    ),
    "a fresh id and the name in every chunk": (
        [fragment(0, '{"a"', name="look", call="x"), fragment(0, ": 1}", name="look", call="y"), delta("tool_calls")],
        [("look", '{"a": 1}')],
    ),
    "one id and one index for both calls": (
        [fragment(0, '{"a": 1}', name="look", call="x"), fragment(0, "{}", name="look", call="x"), delta("tool_calls")],
        [("look", '{"a": 1}'), ("look", "{}")],
    ),
    "finish_reason null, then [DONE]": ([fragment(0, '{"a": 1}', name="look", call="x")], [("look", '{"a": 1}')]),
    "finish_reason empty, then [DONE]": (
        [fragment(0, '{"a": 1}', name="look", call="x"), delta("")],
        [("look", '{"a": 1}')],
    ),
    "frames without an empty line between them": (
        [f"data: {json.dumps(fragment(0, part, name='look'))}\n" for part in ('{"a"', ": 1}")],
        [("look", '{"a": 1}')],
    ),
    "JSON over several data lines": (
        [
            "".join(
                f"data: {line}\n" for line in json.dumps(fragment(0, '{"a": 1}', name="look"), indent=1).split("\n")
            )
            + "\n"
        ],
        [("look", '{"a": 1}')],
    ),
    "line ends of other systems, comments and ids": (
        [f": hello\r\nid: 1\r\nevent: message\r\ndata: {json.dumps(fragment(0, '{}', name='look'))}\r\n\r\n"],
        [("look", "{}")],
    ),
    "JSON lines without frames": ([json.dumps(fragment(0, "{}", name="look")) + "\n"], [("look", "{}")]),
    "chunks without choices and with nulls": (
        [
            {"choices": None},
            {"choices": []},
            {},
            delta(content=None, tool_calls=None, role="assistant"),
            fragment(0, "{}", name="look"),
            delta("tool_calls"),
        ],
        [("look", "{}")],
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
async def test_calls_are_put_together_however_a_server_cuts_them(shape: str) -> None:
    chunks, wanted = SHAPES[shape]
    with fake_server(Answer(chunks)) as server:
        _, events, problem = await asked(chosen(server), TOOLS)
    assert problem == ""
    assert written(events) == wanted
    assert len(server.requests) == 1


async def test_a_character_cut_in_half_between_chunks_is_whole_again() -> None:
    with fake_server(Answer([delta(content="go \ud83d"), delta(content="\ude80"), delta("stop")])) as server:
        reply, _, _ = await asked(chosen(server))
    assert reply.text == "go 🚀"


async def test_reasoning_comes_apart_from_the_text() -> None:
    field = Answer([delta(reasoning_content="I "), delta(reasoning="wonder"), delta(content="Hi."), delta("stop")])
    with fake_server(field) as server:
        reply, events, _ = await asked(chosen(server))
    assert (reply.reasoning, reply.text) == ("I wonder", "Hi.")
    assert texts(events, reasoning=True) == "I wonder"


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_think_tags_cut_between_chunks_are_told_apart(size: int) -> None:
    with fake_server(says("<think>\n1 < 2, so\n</think>\n\nIt is <b>walking</b>", size)) as server:
        reply, events, _ = await asked(chosen(server))
    assert reply.text == texts(events) == "It is <b>walking</b>"
    assert texts(events, reasoning=True) == "\n1 < 2, so\n"
    assert reply.reasoning == "1 < 2, so"


async def test_think_that_the_prompt_opened_ends_in_the_reply() -> None:
    with fake_server(says("so it walks</think>Walking.")) as server:
        reply, _, _ = await asked(chosen(server))
    assert (reply.reasoning, reply.text) == ("so it walks", "Walking.")


async def test_a_server_that_does_not_stream_is_read_all_the_same() -> None:
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "x", "type": "function", "function": WHOLE}]}
    whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3}}
    with fake_server(Answer(body=json.dumps(whole).encode())) as server:
        reply, events, problem = await asked(chosen(server), TOOLS)
    assert (problem, written(events), reply.prompt_tokens) == ("", [("look", '{"a": 1}')], 3)


async def test_usage_may_be_absent_or_stand_in_the_last_chunk() -> None:
    with fake_server(Answer([delta(content="a"), delta("stop")])) as server:
        reply, _, problem = await asked(chosen(server))
    assert (problem, reply.prompt_tokens) == ("", None)
    with fake_server(Answer([delta(content="a"), {**delta("stop"), "usage": usage(5, 6)["usage"]}])) as server:
        reply, _, _ = await asked(chosen(server))
    assert (reply.prompt_tokens, reply.completion_tokens) == (5, 6)


async def test_a_server_that_refuses_stream_options_is_asked_without() -> None:
    with fake_server(fails(400, "Unknown parameter: 'stream_options'"), says("ok")) as server:
        reply, events, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "ok")
    assert "stream_options" not in server.requests[1]
    assert not any(isinstance(event, Waiting) for event in events)


async def test_a_model_that_wants_max_completion_tokens_gets_it() -> None:
    refusal = fails(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    with fake_server(refusal, says("ok")) as server:
        _, _, problem = await asked(chosen(server, max_tokens=5))
    assert problem == ""
    assert server.requests[1]["max_completion_tokens"] == 5
    assert "max_tokens" not in server.requests[1]


async def test_429_waits_as_long_as_it_is_told_and_says_so() -> None:
    with fake_server(fails(429, "slow down", Retry_After="0.02"), says("ok")) as server:
        reply, events, problem = await asked(chosen(server))
    waited = [event for event in events if isinstance(event, Waiting)]
    assert (problem, reply.text) == ("", "ok")
    assert [event.seconds for event in waited] == [0.02]
    assert "429" in waited[0].reason
    assert "slow down" in waited[0].reason


async def test_429_that_asks_for_an_hour_is_told_to_the_person() -> None:
    with fake_server(fails(429, "quota", Retry_After="3600"), says("ok")) as server:
        _, _, problem = await asked(chosen(server))
    assert "asks to wait 3600 s" in problem
    assert len(server.requests) == 1


async def test_429_without_end_gives_up() -> None:
    with fake_server(fails(429, "slow down", Retry_After="0")) as server:
        _, events, problem = await asked(chosen(server))
    assert "fewer requests" in problem
    assert len(server.requests) == errors.RATE_RETRIES + 1
    assert sum(isinstance(event, Waiting) for event in events) == errors.RATE_RETRIES


async def test_500_is_tried_again_and_then_told() -> None:
    with fake_server(fails(500, "out of memory"), says("ok")) as server:
        reply, events, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "ok")
    assert sum(isinstance(event, Waiting) for event in events) == 1
    with fake_server(fails(500, "CUDA error:\n[@click=app.bell]\x1b[2J" + "x" * 900)) as server:
        _, _, problem = await asked(chosen(server))
    assert "failed with 500" in problem
    assert "\n" not in problem
    assert "\x1b" not in problem
    assert len(problem) < 400
    assert len(server.requests) == errors.SERVER_RETRIES + 1


REFUSALS = {
    "key": (fails(401, "Incorrect API key"), "refuses the key (401): Incorrect API key"),
    "model": (fails(404, "The model `fake` does not exist"), "has no model 'fake'"),
    "path": (fails(404, "Not Found"), "does its URL end in /v1?"),
    "html": (
        Answer(status=404, body=b"<html>nginx</html>", headers={"Content-Type": "text/html"}),
        "does its URL end in /v1?",
    ),
    "context": (fails(400, "This model's maximum context length is 4096 tokens."), "longer than fake can read"),
    "pinned": (fails(400, "Server is pinned to 'a'; requested 'fake'."), "has no model 'fake'"),
    "no model": (fails(400, "Invalid model name passed in model=fake. Call `/v1/models`"), "has no model 'fake'"),
    "no key": (fails(400, "No connected db."), "refuses the key (400)"),
    "tools": (fails(400, '"auto" tool choice requires --enable-auto-tool-choice'), "cannot call tools"),
    "order": (
        fails(400, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"),
        "refused the request (400): messages with role 'tool'",
    ),
    "other": (fails(422, "temperature must be below 2"), "refused the request (422): temperature must be below 2"),
    "credit": (fails(429, "You exceeded your current quota, insufficient_quota"), "no credit left"),
    "no stream": (Answer(["model not loaded yet"], then="end"), "broke off with an error: model not loaded yet"),
    "nothing at all": (Answer([], then="end"), "ended its reply before it was whole"),
    "no JSON": (Answer(["data: hello\n\n"]), "not JSON"),
    "error in the stream": (Answer(['data: {"error": {"message": "engine died"}}\n\n']), "engine died"),
    "error as a string": (Answer([{"error": "engine died"}]), "broke off with an error: engine died"),
    "error as a field": (Answer(['error: {"code": 500, "message": "slot is gone"}\n\n']), "slot is gone"),
    "error as an event": (Answer(['event: error\ndata: {"message": "no slot"}\n\n']), "no slot"),
    "error as an event in words": (Answer(["event: error\ndata: no slot left\n\n"]), "no slot left"),
    "error as vLLM's object": (Answer([{"object": "error", "message": "engine died", "code": 400}]), "engine died"),
    "error without a frame": (Answer(['{"error": {"message": "engine died"}}']), "engine died"),
    "error over lines without a frame": (
        Answer(['{\n "error": {\n  "message": "engine died"\n }\n}\n']),
        "engine died",
    ),
    "error as a JSON body": (Answer(body=b'{"error": {"message": "engine died"}}'), "engine died"),
    "error string as a JSON body": (Answer(body=b'{"error": "model not loaded"}'), "model not loaded"),
    "detail as a JSON body": (Answer(body=b'{"detail": "not ready"}'), "not ready"),
    "too long, told inside": (
        Answer([{"error": {"message": "maximum context length is 4096", "code": 400}}]),
        "longer than fake can read",
    ),
    "JSON that is no completion": (Answer(body=b'{"status": "ok"}'), '{"status": "ok"}'),
    "a web page in the stream": (Answer(["<html>proxy</html>"]), "web page"),
    "moved": (Answer(status=308, headers={"Location": "http://127.0.0.1:1/v1"}, body=b""), "write the address that"),
    "html page": (Answer(body=b"<html>ok</html>", headers={"Content-Type": "text/html"}), "answered with a web page"),
}


@pytest.mark.parametrize("kind", REFUSALS)
async def test_each_refusal_is_one_sentence_with_the_way_out(kind: str) -> None:
    answer, wanted = REFUSALS[kind]
    with fake_server(answer) as server:
        reply, _, problem = await asked(chosen(server), TOOLS)
    assert wanted in problem
    assert "\n" not in problem
    assert reply.empty


async def test_what_goes_wrong_inside_a_reply_is_not_asked_for_again() -> None:
    with fake_server(Answer(body=b'{"error": "model not loaded"}'), says("ok")) as server:
        _, events, problem = await asked(chosen(server))
    assert "model not loaded" in problem
    assert (len(server.requests), events) == (1, [])


async def test_trouble_after_a_whole_reply_takes_nothing_from_it() -> None:
    with fake_server(Answer([delta(content="It walks."), delta("stop"), {"error": "late"}])) as server:
        reply, _, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "It walks.")


async def test_a_line_separator_inside_a_text_parts_nothing() -> None:
    frame = json.dumps(delta(content="a\u2028b\u0085c"), ensure_ascii=False)
    with fake_server(Answer([f"data: {frame}\n\n", delta("stop")])) as server:
        reply, _, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "a\u2028b\u0085c")


async def test_nobody_listening_is_said_with_the_address() -> None:
    with fake_server(says("ok")) as server:
        url = server.url
    _, events, problem = await asked(chosen(url))
    assert f"nothing answers at {url} (lab)" in problem
    assert any(isinstance(event, Waiting) for event in events)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://no-such-host.invalid/v1", "not known here"),
        ("localhost:8000", "no URL that can be asked"),
    ],
)
async def test_an_address_that_cannot_be_right_is_said_at_once(url: str, wanted: str) -> None:
    _, events, problem = await asked(chosen(url))
    assert wanted in problem
    assert events == []


async def test_https_to_a_server_without_tls_is_said() -> None:
    with fake_server(says("ok")) as server:
        _, _, problem = await asked(chosen(server.url.replace("http:", "https:")))
    assert "no safe connection" in problem


async def test_a_cut_stream_keeps_what_came_and_does_not_ask_twice() -> None:
    with fake_server(Answer([delta(content="Half an ans")], then="cut"), says("whole")) as server:
        reply, _, problem = await asked(chosen(server))
    assert reply.text == "Half an ans"
    assert "before the reply was whole" in problem
    assert len(server.requests) == 1


async def test_a_stream_cut_before_anything_came_is_asked_again() -> None:
    with fake_server(Answer([delta(role="assistant")], then="cut"), says("whole")) as server:
        reply, events, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "whole")
    assert any(isinstance(event, Waiting) for event in events)


async def test_a_stream_that_ends_in_order_but_unfinished_is_no_whole_reply() -> None:
    with fake_server(Answer([delta(content="Half")], then="end")) as server:
        reply, _, problem = await asked(chosen(server))
    assert reply.text == "Half"
    assert "before it was whole" in problem


@pytest.mark.parametrize(
    ("answer", "setting"),
    [
        (Answer(hang_first=True), "first_token_timeout_sec"),
        (Answer([delta(role="assistant")], then="hang"), "first_token_timeout_sec"),
        (Answer([delta(content="Half")], then="hang"), "raise timeout_sec"),
    ],
)
async def test_a_hang_is_given_up_after_the_timeout(answer: Answer, setting: str) -> None:
    with fake_server(answer) as server:
        _, _, problem = await asked(chosen(server, timeout_sec=0.2))
    assert "sent nothing for 0.2 s" in problem
    assert setting in problem


async def test_an_empty_answer_is_asked_for_again() -> None:
    with fake_server(Answer([delta(content="  "), delta("stop")]), says("ok")) as server:
        reply, _, problem = await asked(chosen(server))
    assert (problem, reply.text) == ("", "ok")
    with fake_server(Answer([delta("stop")])) as server:
        _, _, problem = await asked(chosen(server))
    assert "neither text nor a tool call" in problem


async def test_an_answer_cut_at_max_tokens_is_no_whole_answer() -> None:
    with fake_server(Answer([delta(content="It is"), delta("length")])) as server:
        reply, _, problem = await asked(chosen(server, max_tokens=2))
    assert "max_tokens = 2" in problem
    assert reply.text == "It is"


async def test_the_key_is_sent_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-secret")
    endpoint = Endpoint("lab", "http://x/v1", "", "LAB_KEY")
    with fake_server(fails(401, "no")) as server:
        choice = ModelChoice(Endpoint("lab", server.url, "fake", "LAB_KEY"))
        _, _, problem = await asked(choice)
    assert server.keys == ["Bearer sk-secret"]
    assert "$LAB_KEY" in problem
    assert "sk-secret" not in problem + repr(endpoint) + repr(choice)


@pytest.mark.parametrize(
    "echo",
    [
        fails(401, "Incorrect API key provided: sk-secret-12345"),
        fails(500, "x" * 190 + " sk-secret-12345"),
        Answer([{"error": {"message": "who is sk-secret-12345?"}}]),
        Answer(body=b'{"error": "Bearer sk-secret-12345"}'),
        Answer(status=308, headers={"Location": "http://x/?key=sk-secret-12345"}, body=b""),
    ],
)
async def test_a_key_that_a_server_repeats_is_blanked(monkeypatch: pytest.MonkeyPatch, echo: Answer) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-secret-12345")
    with fake_server(echo) as server:
        _, events, problem = await asked(ModelChoice(Endpoint("lab", server.url, "fake", "LAB_KEY")))
    assert problem
    assert "sk-sec" not in problem + repr(events)


async def test_a_key_that_comes_back_as_text_is_blanked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-secret-12345")
    with fake_server(says("You sent sk-secret-12345.", size=90)) as server:
        reply, events, _ = await asked(ModelChoice(Endpoint("lab", server.url, "fake", "LAB_KEY")))
    assert reply.text == texts(events) == "You sent [key]."


async def test_what_the_environment_says_of_its_endpoint_goes_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_server(says("ok")) as own, fake_server(says("ok")) as other:
        monkeypatch.setenv("OPENAI_BASE_URL", own.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-own")
        monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
        monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Team: secret-team\nAuthorization: Bearer sk-gateway")
        monkeypatch.setenv("LAB_KEY", "sk-lab")
        await asked(ModelChoice(Endpoint("openai", own.url, "fake", "OPENAI_API_KEY")))
        await asked(ModelChoice(Endpoint("lab", other.url, "fake", "LAB_KEY")))
    mine, theirs = own.headers[0], other.headers[0]
    assert (mine["openai-organization"], mine["openai-project"], mine["x-team"]) == ("org-1", "proj-1", "secret-team")
    assert not theirs.keys() & {"openai-organization", "openai-project", "x-team"}
    assert theirs["authorization"] == "Bearer sk-lab"


async def test_a_key_that_no_header_can_carry_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", "sk-schlüssel")
    with fake_server(says("ok")) as server:
        _, _, problem = await asked(ModelChoice(Endpoint("lab", server.url, "fake", "LAB_KEY")))
    assert "$LAB_KEY" in problem and "schl" not in problem
