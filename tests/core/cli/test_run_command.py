from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.cli.run_progress import stoppable
from core.datasets.drawing import draw_sessions
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.runs.after_kill import tidy_after_kills
from core.storage import store, thread_files
from core.thread.value import calls_of, is_assistant
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, delta, fails, fake_server, says
from tui.__main__ import run

REPO = Path(__file__).parents[3]
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking", 20)


@pytest.fixture
def workspace(demo_workspace: Workspace) -> Workspace:
    root = demo_workspace.root
    with (root / "sensorloom.toml").open("a") as settings:
        settings.write('[run]\nevidence = "reference"\n')
    return open_workspace(str(root), environ={})


def command(workspace: Workspace, *arguments: str) -> list[str]:
    return ["run", "--workspace", str(workspace.root), *arguments]


METADATA = [
    "dataset", "session", "ground_truth", "status", "num_turns", "num_tool_calls", "num_responds", "is_correct",
    "confidence", "user_query", "schema_version", "created_at", "last_modified", "final_answer", "model", "seed",
    "made_by", "max_turns", "form",
]  # fmt: skip
MESSAGES = {
    "user": ["role", "content"],
    "assistant": ["role", "content", "tool_calls", "usage"],
    "tool": ["role", "tool_call_id", "name", "content"],
}


def document(workspace: Workspace, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = run(command(workspace, *arguments, "--json"))
    return code, json.loads(capsys.readouterr().out)


def test_new_threads_are_run_to_a_final_answer(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = document(workspace, capsys, "--dataset", "demo", "--count", "12", "--seed", "3")
    assert code == 0
    assert (told["asked"], told["finished"], told["model"]) == (12, 12, "builtin-analyst")
    assert [thread["status"] for thread in told["threads"]] == ["finished"] * 12
    assert set(Counter(thread["ground_truth"] for thread in told["threads"]).values()) == {2}
    stored = [read for read in store.read_all(workspace.threads) if isinstance(read, store.Stored)]
    assert {saved.stem for saved in stored} == {thread["id"] for thread in told["threads"]}
    for saved in stored:
        assert list(saved.thread.document) == ["id", "metadata", "messages", "tools"]
        assert list(saved.thread.metadata) == METADATA
        assert all(list(message) == MESSAGES[message["role"]] for message in saved.thread.messages)
        assert saved.thread.metadata["num_tool_calls"] >= 1
        assert saved.thread.messages[0]["content"].endswith(f"\n\nUser Query: {saved.thread.question}")
        assert saved.thread.session not in saved.thread.messages[0]["content"]


def test_the_same_seed_gives_the_same_threads(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--dataset", "demo", "--count", "3", "--seed", "5", "--parallel", "1")
    _, first = document(workspace, capsys, *asked)
    _, second = document(workspace, capsys, *asked)
    messages = [
        json.dumps(store.read(workspace.threads, thread["id"]).thread.messages).replace(thread["id"], "ID")
        for thread in (*first["threads"], *second["threads"])
    ]
    assert messages[:3] == messages[3:]


def test_sessions_are_spread_over_the_labels(workspace: Workspace) -> None:
    dataset = open_dataset(workspace, "demo")
    drawn = draw_sessions(dataset, 20, seed=1)
    assert len(set(drawn)) == 20
    counts = Counter(dataset.labels[session][0] for session in drawn).values()
    assert max(counts) - min(counts) <= 1
    assert drawn == draw_sessions(dataset, 20, seed=1)
    assert drawn != draw_sessions(dataset, 20, seed=2)
    there = len(dataset.sessions)
    assert sorted(draw_sessions(dataset, there, seed=1)) == sorted(dataset.sessions)
    with pytest.raises(UsageError, match=f"has {there} labelled sessions"):
        draw_sessions(dataset, there + 1, seed=1)


def test_a_person_sees_progress_on_stderr_and_accuracy_on_stdout(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command(workspace, "--dataset", "demo", "--count", "2", "--seed", "3", "--question", "What is it?")) == 0
    shown = capsys.readouterr()
    assert "2 threads with builtin-analyst (builtin)" in shown.err
    assert "[2/2]" in shown.err
    assert shown.out.startswith("finished  2 of 2")
    assert "correct " in shown.out
    assert all(
        read.thread.question == "What is it?"
        for read in store.read_all(workspace.threads)
        if isinstance(read, store.Stored)
    )


def test_a_stored_thread_goes_on_where_it_stands(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = document(workspace, capsys, "--dataset", "demo", "--seed", "3", "--max-turns", "1")
    assert (code, told["threads"][0]["status"]) == (1, "max_turns_reached")
    stem = told["threads"][0]["id"]
    begun = store.read(workspace.threads, stem).thread
    code, told = document(workspace, capsys, stem)
    assert (code, told["finished"]) == (1, 0)
    code, told = document(workspace, capsys, stem, "--max-turns", "12")
    assert (code, told["threads"][0]["status"]) == (0, "finished")
    thread = store.read(workspace.threads, stem).thread
    assert thread.messages[: len(begun.messages)] == begun.messages
    code, told = document(workspace, capsys, stem)
    assert code == 1
    assert told["error"].startswith(f"{stem} is finished: nothing would be run")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), "name a dataset"),
        (("--dataset", "demmo"), "demmo"),
        (("--dataset", "demo", "--count", "100000"), "sessions, fewer than"),
        (("--dataset", "demo", "--session", "nope"), "no session 'nope'"),
        (("nope",), "no thread 'nope'"),
        (("../x",), "a name that cannot be a thread's id"),
        (("nope", "--dataset", "demo"), "either threads or a dataset"),
        (("--dataset", "demo", "--endpoint", "labb"), "no endpoint 'labb'"),
        (("--dataset", "demo", "--endpoint", "http://127.0.0.1:1/v1"), "cannot be reached"),
        (("--dataset", "demo", "--count", "0"), "--count"),
        (("--dataset", "demo", "--temperature", "nan"), "`nan` is not a number >= 0"),
        (("--dataset", "demo", "--temperature", "inf"), "`inf` is not a number <= 1000"),
        (("--dataset", "demo", "--endpoint", "http://a\x1b[2Jb/v1"), "'http://a\\x1b[2Jb/v1'; write it as http://"),
        (("--dataset", "demo", "--endpoint", "http://[/v1"), "'http://[/v1'; write it as http://"),
        (("--dataset", "demo", "--endpoint", "http://a:99999/v1"), "write it as http://host:port/v1"),
        (("--dataset", "demo", "--endpoint", "http://a b/v1"), "write it as http://host:port/v1"),
        (("--dataset", "demo", "--model", "gpt"), "the built-in analyst has no model 'gpt'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], wanted: str
) -> None:
    assert run(command(workspace, *arguments, "--json")) not in (0, 130)
    shown = capsys.readouterr()
    assert wanted in json.loads(shown.out)["error"]
    assert wanted in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert thread_files.stems(workspace.threads) == []


def test_an_endpoint_over_http_and_its_failures(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_server(FINAL, Answer([delta(content="It mo")], then="cut"), fails(401, "bad [key]")) as server:
        asked = ("--dataset", "demo", "--count", "3", "--seed", "1", "--question", "What?", "--parallel", "1")
        code, told = document(workspace, capsys, *asked, "--endpoint", server.url, "--temperature", "0.5")
    assert code == 1
    assert (told["asked"], told["finished"], told["model"]) == (3, 1, "fake")
    good, cut, refused = told["threads"]
    assert good["error"] == ""
    assert "before the reply was whole" in cut["error"]
    assert "refuses the key (401): bad [key]" in refused["error"]
    assert server.requests[0]["temperature"] == 0.5
    stored = store.read(workspace.threads, cut["id"]).thread
    assert stored.alternatives[0]["messages"][0]["content"] == "It mo"
    assert stored.alternatives[0]["complete"] is False
    with fake_server(FINAL) as server:
        code, told = document(workspace, capsys, cut["id"], "--endpoint", server.url)
    assert (code, told["finished"], refused["id"]) == (0, 1, None)


def started(workspace: Workspace, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *command(workspace, *arguments)],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_signals,
    )


def _hear_signals() -> None:
    """Whoever runs the tests in the background, or with nohup, ignores these, and so would what they start."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for_threads(workspace: Workspace, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while len(thread_files.stems(workspace.threads)) < count:
        assert time.monotonic() < deadline
        ended = process.poll() is not None
        assert not ended or len(thread_files.stems(workspace.threads)) >= count, process.communicate()
        time.sleep(0.005)


def check_whole(workspace: Workspace) -> int:
    """Every thread file is a whole thread with every call answered; returns how many there are."""
    reads = list(store.read_all(workspace.threads))
    for read in reads:
        assert isinstance(read, store.Stored), read
        messages = read.thread.messages
        called = [call["id"] for message in messages for call in calls_of(message)]
        assert called == [message["tool_call_id"] for message in messages if message["role"] == "tool"]
        assert read.thread.metadata["num_turns"] == sum(map(is_assistant, messages))
    return len(reads)


def test_a_kill_before_anything_came_is_told_as_ctrl_c_is() -> None:
    async def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        stoppable(work())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_hang_up_stop_and_keep_what_is_done(workspace: Workspace, number: signal.Signals) -> None:
    with fake_server(*[FINAL] * 6, Answer(hang_first=True)) as server:  # so that no machine is done before the signal
        asked = ("--dataset", "demo", "--count", "100", "--seed", "1", "--question", "What?", "--endpoint", server.url)
        process = started(workspace, *asked, "--json")
        wait_for_threads(workspace, 7, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=200)
    assert process.returncode == 130, err
    told = json.loads(out)
    assert told["finished"] >= 3 and any(thread["stopped"] for thread in told["threads"])
    assert "Traceback" not in err
    assert check_whole(workspace) >= 3  # those to which nothing had come are taken away
    assert {thread["id"] for thread in told["threads"] if thread["id"]} == set(thread_files.stems(workspace.threads))


def test_kill_9_at_any_moment_leaves_only_whole_threads(workspace: Workspace) -> None:
    chance = random.Random(os.getpid())
    there = 0
    for _ in range(1):  # `make kills` does three hundred
        process = started(workspace, "--dataset", "demo", "--count", "100", "--parallel", "8")
        wait_for_threads(workspace, there + 1 + chance.randrange(6), process)
        time.sleep(chance.random() * 0.05)  # not to wait for something: the moment is meant to be any
        process.kill()
        process.communicate()
        there = check_whole(workspace)
    tidy_after_kills(workspace)  # as the next start does: what holds nothing but its question is gone
    there = check_whole(workspace)
    stored = [read for read in store.read_all(workspace.threads) if isinstance(read, store.Stored)]
    if any(thread.thread.status == "active" for thread in stored):
        process = started(workspace, "--filter", "status:active")
        _, err = process.communicate(timeout=200)
        assert process.returncode == 0, err
    assert check_whole(workspace) == there
