"""What a profile wrote is read back as the same thread, in everything that the profile can hold."""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.export.pairs import content_of, pairs
from core.export.profiles import PROFILES
from core.export.profiles.profile import Making, Profile, RefusedError
from core.incoming.forms import conversation
from core.incoming.pairs import as_conversations
from core.incoming.threads import Threads
from core.settings import Settings
from core.thread.proposal import context_hash
from core.thread.value import Thread, is_assistant
from core.workspace import Workspace
from tests.core.export.threads import TOOLS, Document, call, document, result

WORDS = st.text(alphabet="abc ü—\n\"'{}[]<>\\", min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
ARGUMENTS = st.dictionaries(st.sampled_from(["x", "länge"]), st.one_of(st.integers(), WORDS, st.none()), max_size=2)


@st.composite
def threads(draw: st.DrawFn) -> Document:
    """A finished, right thread: turns of up to three calls, some out of the loss, labelled or thought about aloud."""
    thread = document(draw(st.integers(1, 99)))
    tid = thread["id"]
    messages: list[Document] = [thread["messages"][0]]
    for turn in range(1, draw(st.integers(0, 3)) + 1):
        ids = [f"call_{tid}_turn_{turn}" + (f"_{n}" if n > 1 else "") for n in range(1, draw(st.integers(1, 3)) + 1)]
        calls = [call(each, draw(st.sampled_from(["show_channel_stats", "compute_spectrum"]))) for each in ids]
        for called in calls:
            called["function"]["arguments"] = json.dumps(draw(ARGUMENTS), ensure_ascii=False)
        messages.append(
            {"role": "assistant", "content": draw(st.one_of(st.just(""), WORDS)).strip(), "tool_calls": calls}
        )
        messages += [result(each["id"], each["function"]["name"], draw(WORDS)) for each in calls]
    messages.append(thread["messages"][-1])
    spoken = [message for message in messages if is_assistant(message)]
    for message in spoken:
        if draw(st.integers(0, 5)) == 0:
            message["reasoning_content"] = draw(WORDS)
    if draw(st.booleans()):
        spoken[0]["train"] = False
    labels = draw(st.sampled_from([("good",), ("good", "bad"), ()]))
    for number, message in enumerate(spoken if labels else ()):
        message["label"] = labels[number % len(labels)]
    thread["messages"] = messages
    at = draw(st.sampled_from([n for n, message in enumerate(messages) if is_assistant(message)]))
    other = {"role": "assistant", "content": "No:" + draw(WORDS).strip(), "tool_calls": [call("x", "compute_spectrum")]}
    thread["alternatives"] = [
        {"position": at, "context": context_hash(messages[:at]), "reason": "retried", "messages": [other]}
    ]
    return thread


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("empty")
    return Workspace(root, root / "threads", root / "exports", root / "data", Settings())


def read_back(empty: Workspace, rows: list[Document]) -> list[Thread]:
    """The threads that rows become, as a file of them would be read."""
    read = [(number, conversation(json.loads(json.dumps(row)))) for number, row in enumerate(rows, 1)]
    joinable = [entry for entry in read if entry[1].rejected or entry[1].joinable]
    every = [*[entry for entry in read if entry not in joinable], *as_conversations(joinable)]
    maker = Threads(empty)
    return [maker.thread_of(each, maker.match(each), "rows.jsonl", line) for line, each in every]


def rows_of(profile: Profile, thread: Thread) -> list[Document]:
    if profile.rows is None:
        return [{key: value for key, value in thread.document.items() if key != "alternatives"}]
    return profile.rows(thread, Making())


HOLDS: dict[str, tuple[str, ...]] = {
    "openai_v1": ("train", "label", "reasoning_content"),
    "hf": ("train", "reasoning_content"),
    "openai": ("train",),
    "openrlhf": ("train", "reasoning_content"),
    "oumi": ("reasoning_content",),
    "llamafactory": (),
}
"""What rows hold of a message beside what is said and called."""


def held(message: Any, keys: tuple[str, ...]) -> list[Any]:
    return [*content_of(message), message.get("tool_call_id"), message.get("name"), *map(message.get, keys)]


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if not (profile.pairs or profile.prompts)])
@settings(max_examples=40, deadline=None)
@given(document=threads())
def test_rows_that_are_read_back_are_the_thread_and_make_the_same_rows(empty: Workspace, name: str, document: Document):
    profile, thread = PROFILES[name], Thread(document)
    try:
        rows = rows_of(profile, thread)
    except RefusedError:
        return
    sent = copy.deepcopy(rows)
    if profile.sidecar:
        sent = [{**row, **profile.sidecar(thread)} for row in rows]
    (again,) = read_back(empty, sent)
    if name in HOLDS:
        keys = HOLDS[name]
        if sent[0].get("id") or sent[0].get("conversation_id"):  # else its calls are called by its new id
            assert [held(message, keys) for message in again.messages] == [held(m, keys) for m in thread.messages]
            assert again.id == thread.id and again.metadata["ground_truth"] == "walking"
        assert [content_of(message) for message in again.messages] == [content_of(m) for m in thread.messages]
        assert again.tools == tuple(TOOLS) or list(again.tools or ()) == TOOLS
    assert [{**row, "id": "", "metadata": ""} for row in rows_of(profile, again)] == [
        {**row, "id": "", "metadata": ""} for row in rows
    ]


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.pairs])
@settings(max_examples=40, deadline=None)
@given(document=threads())
def test_preference_rows_that_are_read_back_hold_the_same_pairs(empty: Workspace, name: str, document: Document):
    try:
        rows = rows_of(PROFILES[name], Thread(document))
    except RefusedError:
        return
    (again,) = read_back(empty, rows)
    missed = Counter[str]()
    both = [pairs(thread, (), missed) for thread in (Thread(document), again)]
    plain = [
        [[*map(content_of, (*pair.prompt, pair.chosen, pair.rejected))] for pair in of_thread] for of_thread in both
    ]
    assert plain[0] == plain[1] != []


def test_a_stored_thread_in_the_plain_copy_is_the_same_to_the_byte(empty: Workspace, tmp_path: Path):
    stored = document(7)
    (again,) = read_back(empty, [stored])
    assert json.dumps(again.document) == json.dumps(stored)
