from __future__ import annotations

from typing import Any

import openai
import pytest

from core.analyst.transport import BuiltinTransport
from core.thread.opening import first_message, system_prompt
from tests.core.analyst.analyst_threads import PLAIN, manifest_of
from tests.tools.made import made_dataset
from tools.builtin import BUILTIN

MANIFEST = manifest_of(made_dataset(1, 1))


def client(seed: int | None = 0) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(
        api_key="none",
        base_url="http://builtin.invalid/v1",
        max_retries=0,
        http_client=openai.DefaultAsyncHttpxClient(transport=BuiltinTransport(seed=seed)),
    )


def request(**more: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": system_prompt()}, first_message(MANIFEST, PLAIN)]
    return {
        "model": "builtin-analyst",
        "messages": messages,
        "tools": [tool.schema for tool in BUILTIN],
        "seed": 7,
        **more,
    }


async def test_streamed_and_whole_replies_are_the_same_message():
    async with client() as asked:
        whole = await asked.chat.completions.create(**request())
        text, names, arguments, finish, usage, fragments = "", [""] * 4, [""] * 4, "", None, 0
        stream = await asked.chat.completions.create(**request(stream=True, stream_options={"include_usage": True}))
        async for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
                for part in choice.delta.tool_calls or ():
                    assert part.function
                    fragments += 1
                    names[part.index] += part.function.name or ""
                    arguments[part.index] += part.function.arguments or ""
    message = whole.choices[0].message
    calls = message.tool_calls or []
    assert text == message.content and finish == whole.choices[0].finish_reason == "tool_calls"
    functions = [call.function for call in calls if call.type == "function"]
    assert [function.name for function in functions] == [name for name in names if name]
    assert [function.arguments for function in functions] == [argument for argument in arguments if argument]
    assert fragments > 2 * len(calls), "arguments come in pieces"
    assert usage and whole.usage and usage.total_tokens == whole.usage.total_tokens > 100


async def test_the_models_are_listed():
    async with client() as asked:
        assert [model.id async for model in asked.models.list()] == ["builtin-analyst"]


async def test_what_is_not_understood_is_refused_as_a_server_would():
    async with client() as asked:
        with pytest.raises(openai.NotFoundError, match="does not answer"):
            await asked.embeddings.create(model="x", input="y")
        with pytest.raises(openai.BadRequestError, match="no list of messages"):
            await asked.post("/chat/completions", body={"model": "x"}, cast_to=object)


async def test_without_a_seed_in_the_request_the_transports_own_counts_on():
    from core.thread.opening import described, question_prompt

    messages: Any = [
        {"role": "system", "content": question_prompt()},
        {"role": "user", "content": described(MANIFEST)},
    ]

    async def questions(seed: int) -> list[str | None]:
        async with client(seed) as asked:
            replies = [
                await asked.chat.completions.create(model="builtin-analyst", messages=messages) for _ in range(6)
            ]
        return [reply.choices[0].message.content for reply in replies]

    first = await questions(3)
    assert first == await questions(3) and len(set(first)) > 2
