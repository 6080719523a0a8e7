"""Nothing that a v3 document says is dropped, whatever it says where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.curate.v3_conversion import converted
from core.errors import ThreadError
from core.thread.json_form import encode

TURN_KEYS = (
    "turn", "action", "reasoning", "tool_call", "tool_calls", "tool_result", "tool_results", "response",
    "final_answer", "explanation", "answer", "confidence", "role", "content", "timestamp", "name", "train",
)  # fmt: skip
TOP_KEYS = (
    "thread_id", "schema_version", "dataset_name", "session_id", "ground_truth_label", "status", "metadata",
    "final_answer", "explanation", "confidence", "is_correct", "created_at", "last_modified", "updated_at",
    "user_query", "query", "max_turns", "id", "messages", "tools", "initial_context", "review", "tags",
)  # fmt: skip

marked = st.text("abcé 走😀", max_size=6).map(lambda text: f"<{text}>")
"""Texts that stand nowhere by chance."""
scalars = st.none() | st.booleans() | st.integers(10, 10**20) | marked
values = st.recursive(
    scalars, lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=4), part, max_size=3)
)
calls = st.fixed_dictionaries({"tool_name": st.sampled_from("ab")}, optional={"parameters": values, "note": scalars})
turns = st.dictionaries(st.sampled_from(TURN_KEYS), values | calls | st.lists(calls, max_size=2), max_size=5)
documents = st.dictionaries(
    st.sampled_from(TOP_KEYS), values | st.dictionaries(st.sampled_from(TOP_KEYS), values, max_size=3), max_size=6
)


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a JSON value; those in a text that is JSON too."""
    if isinstance(value, dict):
        yield from (leaf for part in value.values() for leaf in leaves(part))
    elif isinstance(value, list):
        yield from (leaf for part in value for leaf in leaves(part))
    elif isinstance(value, str):
        yield value
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return
        if not isinstance(inner, str):
            yield from leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


@settings(max_examples=250)
@given(documents, st.lists(turns | values, max_size=3))
def test_nothing_that_a_v3_file_says_is_dropped(top: dict[str, Any], conversation: list[Any]):
    document = {**top, "conversation": conversation}
    try:
        thread = json.loads(encode(converted(document, "t_v4_0001", {})))
    except ThreadError:
        return
    text = "\n".join(leaves(thread)) + json.dumps(thread, ensure_ascii=False)
    for leaf in leaves(document):
        assert leaf.strip() in text, leaf
