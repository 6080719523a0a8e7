"""Real servers with a real model: what they stream, how they are stopped, and what is said of their refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import ModelError
from core.model.client import Model
from core.model.endpoints import Endpoint, ModelChoice
from core.model.listing import list_models
from core.model.reply import CallWritten, Reply, TextAdded
from core.settings_tables import ModelSettings

from .starting import SERVERS, NotPrepared, Started

pytestmark = pytest.mark.timeout(900)

CHANNELS = {"type": "string", "enum": ["acc_x", "acc_y"]}
LOOK: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look at a channel",
        "parameters": {
            "type": "object",
            "properties": {"channel": CHANNELS},
            "required": ["channel"],
            "additionalProperties": False,
        },
    },
}
SAY_CALL = 'Repeat this word for word: <tool_call>\n{"name": "look", "arguments": {"channel": "acc_y"}}\n</tool_call>'
"""What a model of 135 million parameters does when asked for a call: it has to be told which."""


def choice(server: Started, **settings: Any) -> ModelChoice:
    asked = {"timeout_sec": 120.0, "first_token_timeout_sec": 240.0, "max_tokens": 48, "temperature": 0.0, **settings}
    return ModelChoice(
        Endpoint("real", server.url, api_key_env="TESTS_KEY"), server.model, msgspec.convert(asked, ModelSettings)
    )


async def asked(chosen: ModelChoice, words: str, tools: Any = ()) -> tuple[Reply, list[Any]]:
    model, reply, events = Model(chosen, backoff_sec=0.01), Reply("run"), list[Any]()
    try:
        async for event in model.stream(reply, [{"role": "user", "content": words}], tools):
            events.append(event)
    finally:
        await model.aclose()
    return reply, events


async def refused(chosen: ModelChoice, words: str = "Hello.") -> str:
    with pytest.raises(ModelError) as error:
        await asked(chosen, words)
    return str(error.value)


async def test_its_models_are_listed(server: Started) -> None:
    listing = await list_models(choice(server).endpoint, timeout_sec=60.0)
    assert server.model in listing.models


async def test_text_streams_and_what_it_took_is_counted(server: Started) -> None:
    reply, events = await asked(choice(server, stop=["."], max_tokens=200), "Name one colour, in one short sentence.")
    pieces = [event.text for event in events if isinstance(event, TextAdded)]
    assert len(pieces) > 1 and "".join(pieces) == reply.text
    assert reply.prompt_tokens and reply.completion_tokens


async def test_a_tool_call_is_made(server: Started) -> None:
    reply, events = await asked(choice(server, tool_choice="required"), SAY_CALL, [LOOK])
    (call,) = [event for event in events if isinstance(event, CallWritten)]
    assert call.name == "look" and json.loads(call.arguments) == {"channel": "acc_y"}
    assert not reply.calls_from_text


async def test_what_it_refuses_to_be_asked_is_left_out(server: Started) -> None:
    reply, _ = await asked(choice(server, stop=["."], max_tokens=200, top_k=20, seed=3), "Name one colour.")
    dropped = reply.sent.get("dropped", [])
    assert reply.text and dropped == (["top_k"] if server.kind == "transformers" else [])


async def test_a_thread_beyond_its_context_says_so(server: Started) -> None:
    if server.kind == "transformers":
        pytest.skip("transformers serve has no limit of its own: it reads on beyond what the model was made for")
    assert "longer than" in await refused(choice(server), "walk " * 4000)


async def test_a_wrong_key_names_the_variable(server: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    if server.kind == "transformers":
        pytest.skip("transformers serve knows no keys")
    monkeypatch.setenv("TESTS_KEY", "sk-another-one-9")
    told = await refused(choice(server))
    assert "refuses the key" in told and "$TESTS_KEY" in told and "sk-another-one-9" not in told


async def test_a_wrong_model_is_named(server: Started) -> None:
    if server.kind == "llamacpp":
        pytest.skip("llama.cpp answers with its one model, whatever is asked for")
    chosen = choice(server)
    told = await refused(ModelChoice(chosen.endpoint, "no-such-model", chosen.settings))
    assert "no model 'no-such-model'" in told


async def test_a_stop_in_mid_stream_leaves_the_server_answering(server: Started) -> None:
    model, reply = Model(choice(server, max_tokens=400)), Reply("run")
    stream = model.stream(reply, [{"role": "user", "content": "Tell a long story."}], ())
    async for event in stream:
        if isinstance(event, TextAdded):
            break
    await stream.aclose()  # pyright: ignore[reportAttributeAccessIssue] - an async generator
    await model.aclose()
    assert reply.text and not reply.finish
    again, _ = await asked(choice(server, max_tokens=200, stop=["."]), "Name one colour.")
    assert again.text


async def test_two_streams_at_once_keep_apart(server: Started) -> None:
    told = SAY_CALL.replace("acc_y", "acc_x")
    first, second = await asyncio.gather(asked(choice(server), SAY_CALL, [LOOK]), asked(choice(server), told, [LOOK]))
    channels = [json.loads(reply.calls[0].arguments)["channel"] for reply, _ in (first, second)]
    assert channels == ["acc_y", "acc_x"]


@pytest.mark.parametrize("kind", ["llamacpp", "transformers"])
async def test_a_server_that_dies_in_mid_stream_is_named(kind: str, tmp_path: Path) -> None:
    try:
        with SERVERS[kind](tmp_path / "server.log") as started:
            model, reply = Model(choice(started, max_tokens=400), backoff_sec=0.01), Reply("run")
            with pytest.raises(ModelError, match=r"closed the connection|nothing answers|ended its reply"):
                async for event in model.stream(reply, [{"role": "user", "content": "Tell a long story."}], ()):
                    if isinstance(event, TextAdded):
                        started.process.kill()
            await model.aclose()
            assert reply.text
    except NotPrepared as reason:
        pytest.skip(str(reason))
