from __future__ import annotations

import itertools
import json
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.reply import ArgumentsAdded, CallAdded, CallWritten, Reply, ReplyEvent, TextAdded
from tests.fake_server import delta, fragment

EXAMPLES = int(os.environ.get("SENSORLOOM_SEQUENCES", "60"))
WORDS = st.text(st.characters(codec="utf-8"), max_size=30).filter(lambda text: "<" not in text)
CALLS = st.lists(
    st.tuples(
        st.sampled_from(["look", "listen"]), st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9))
    ),
    max_size=4,
)


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({at % (len(text) + 1) for at in places} | {0, len(text)})
    return [text[start:end] for start, end in itertools.pairwise(ends)]


def read(chunks: list[Any]) -> tuple[Reply, list[ReplyEvent]]:
    reply = Reply("r")
    events = [event for chunk in chunks for event in reply.read(chunk)]
    return reply, [*events, *reply.end()]


@given(WORDS, WORDS, CALLS, st.lists(st.integers(0, 10_000), max_size=20), st.booleans(), st.booleans())
@settings(max_examples=EXAMPLES)
def test_a_message_is_the_same_wherever_it_is_cut(
    thought: str, text: str, calls: list[tuple[str, dict[str, Any]]], places: list[int], indexed: bool, named: bool
) -> None:
    chunks: list[Any] = [delta(content=part) for part in cut(f"<think>{thought}</think>{text}", places)]
    for index, (name, arguments) in enumerate(calls):
        call = f"c{index}" if named else None
        at = index if indexed else None
        parts = cut(json.dumps(arguments), places)
        chunks.append(fragment(at, parts[0], name=name, call=call))
        chunks += [fragment(at, part, call=call) for part in parts[1:]]
    reply, events = read([*chunks, delta("stop")])
    assert reply.text == text.strip()
    assert reply.reasoning == thought.strip()
    written = [event for event in events if isinstance(event, CallWritten)]
    assert [(call.name, json.loads(call.arguments)) for call in written] == calls
    assert [call.index for call in written] == list(range(len(calls)))
    shown = "".join(event.text for event in events if isinstance(event, TextAdded) and not event.reasoning)
    assert shown.strip() == text.strip()
    for index, (name, arguments) in enumerate(calls):
        assert [event.name for event in events if isinstance(event, CallAdded) and event.index == index] == [name]
        fragments = [event.text for event in events if isinstance(event, ArgumentsAdded) and event.index == index]
        assert json.loads("".join(fragments)) == arguments


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "content", "tool_calls", "function", "name", "arguments", "index", "id",
                 "usage", "finish_reason", "model", "reasoning_content", "text", "prompt_tokens"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)  # fmt: skip


@given(st.lists(JSON | st.builds(lambda inner: {"choices": [{"delta": inner}]}, JSON), max_size=6))
@settings(max_examples=EXAMPLES)
def test_no_chunk_whatever_it_holds_breaks_the_reader(chunks: list[Any]) -> None:
    reply, events = read(chunks)
    assert isinstance(reply.text, str)
    written = [event for event in events if isinstance(event, CallWritten)]
    assert all(isinstance(call.name, str) and call.name and isinstance(call.arguments, str) for call in written)
