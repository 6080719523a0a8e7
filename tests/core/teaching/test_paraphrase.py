"""Other words for a good thread: taken when they hold, thrown away when they do not, one step of undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.curate.steps import commit
from core.runs.toolbox import context_for, open_toolbox
from core.storage import store
from core.storage.store import Stored
from core.thread.edits import reexecuted
from core.thread.updates import with_messages
from core.thread.value import text_of
from core.workspace import Workspace
from tests.fake_server import fake_server, says
from tests.tui.motion import motion_workspace, new_thread
from tui.__main__ import run

CALL = {"id": "call_a", "type": "function", "function": {"name": "detect_periodicity", "arguments": "{}"}}
WORDS = "The signal keeps a beat, so somebody is on foot."


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return motion_workspace(tmp_path)


def finished(workspace: Workspace, answer: str = "walking") -> Stored:
    """A thread of one call and an answer that quotes a number of its result."""
    stored = new_thread(workspace)
    turn = {"role": "assistant", "content": "I look for a rhythm first.", "tool_calls": [CALL]}
    thread = with_messages(stored.thread, [*stored.thread.messages, turn])
    thread = reexecuted(thread, 1, open_toolbox(workspace), context_for(workspace, stored.thread))
    number = next(value for value in _numbers(json.loads(text_of(thread.messages[2]))) if value > 13)
    text = f"A rhythm of {number} is there.\n\nConfidence: high\nFinal Answer: {answer}"
    final = {"role": "assistant", "content": text, "tool_calls": None}
    return commit(workspace, stored, with_messages(thread, [*thread.messages, final]), "made")


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in _numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in _numbers(item)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def paraphrase(workspace: Workspace, url: str, *arguments: str) -> int:
    options = ("--workspace", str(workspace.root), "--endpoint", url, "--model", "fake", "--json")
    return run(["paraphrase", *arguments, *options])


def test_other_words_that_hold_are_taken_recorded_and_undone(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    stored = finished(workspace)
    with fake_server(says("First of all: is there a beat?"), says(f"{WORDS}\nFinal Answer: sitting")) as server:
        assert paraphrase(workspace, server.url, stored.stem) == 0
        requests = [[message["content"] for message in request["messages"]] for request in server.requests]
    assert [texts[1] for texts in requests] == [
        "I look for a rhythm first.",
        text_of(stored.thread.messages[3]).split("\n")[0],
    ]
    thread = store.read(workspace.threads, stored.stem).thread
    assert text_of(thread.messages[1]) == "First of all: is there a beat?"
    assert text_of(thread.messages[3]) == f"{WORDS}\n\nConfidence: high\nFinal Answer: walking"
    assert thread.messages[1]["tool_calls"] == stored.thread.messages[1]["tool_calls"]
    assert thread.metadata["made_by"] == {"paraphrase": "fake"}
    curate.undo(workspace, stored.stem)
    assert store.read(workspace.threads, stored.stem).thread.messages == stored.thread.messages


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("It beats 4711 times.", "message 2 has a number that it had not: 4711"),
        ("Confidence: low", "nothing is left of message 2"),
        ("<tool_call>look</tool_call>", "the text holds <tool_call>"),
    ],
)
def test_other_words_that_do_not_hold_are_thrown_away(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], words: str, reason: str
):
    stored = finished(workspace)
    with fake_server(says(words), says(WORDS)) as server:
        assert paraphrase(workspace, server.url, stored.stem) == 1
    (told,) = json.loads(capsys.readouterr().out)["threads"]
    assert told["changed"] is False and "thrown away" in told["told"] and reason in told["told"]
    assert store.read(workspace.threads, stored.stem).digest == stored.digest


def test_a_result_that_no_longer_replays_throws_them_away(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    stored = finished(workspace)
    messages = list(stored.thread.messages)
    messages[2] = {**messages[2], "content": text_of(messages[2]).replace("{", '{"extra": 1, ', 1)}
    stored = commit(workspace, stored, with_messages(stored.thread, messages), "tampered")
    with fake_server(says("Is there a beat?"), says(WORDS)) as server:
        assert paraphrase(workspace, server.url, stored.stem) == 1
    assert "detect_periodicity does not replay" in capsys.readouterr().out


def test_only_good_threads_are_worth_other_words(workspace: Workspace, capsys: pytest.CaptureFixture[str]):
    wrong = finished(workspace, "sitting")
    with fake_server(says(WORDS)) as server:
        assert paraphrase(workspace, server.url, wrong.stem) == 1
        assert "neither right nor accepted" in capsys.readouterr().out
        assert not server.requests
        curate.set_verdicts(workspace, [wrong.stem], "accept")
        assert paraphrase(workspace, server.url, wrong.stem) == 0
