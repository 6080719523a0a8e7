"""An agent over MCP: what it is given, what is written of it, and that no label is in its reach."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core import Stored, open_workspace, read_all, tasks
from core.cli.commands import run_command
from core.cli.mcp import tasks_named
from core.errors import UsageError
from core.lint import check_thread
from core.mcp_server.server import serve_http
from core.mcp_server.work import Work
from core.storage.splits_file import hold_out
from core.thread.form import COMPACT, form_of
from core.workspace import Workspace
from tests.core.small_demo import small_demo

ROOT = Path(__file__).parents[3]
CALL = {"channel_names": ["acc_x"]}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return small_demo(tmp_path_factory.mktemp("mcp"))


def recorded(space: Workspace) -> list[Stored]:
    return [stored for stored in read_all(space.threads) if isinstance(stored, Stored)]


def test_what_an_agent_did_is_a_thread_that_checks_find_good(space: Workspace):
    task = tasks(space, "demo", count=1, seed=4)[0]
    work = Work([task], records=True)
    before = {stored.stem for stored in recorded(space)}
    assert task.question in work.call("new_session", {})
    assert not [stored for stored in recorded(space) if stored.stem not in before]  # nothing was done yet
    result = work.call("detect_periodicity", CALL, "an agent")
    told = work.call("answer", {"text": "So it is.", "final_answer": task.truth, "confidence": "high"}, "an agent")
    assert json.loads(told) == {"recorded": True}  # and not whether it is right
    assert "answered; call new_session" in work.call("detect_periodicity", CALL)
    (stored,) = [stored for stored in recorded(space) if stored.stem not in before]
    thread = stored.thread
    assert [message["role"] for message in thread.messages] == ["user", "assistant", "tool", "assistant"]
    assert thread.messages[2]["content"] == result and thread.metadata["is_correct"] is True
    assert thread.metadata["model"] == "an agent" and thread.tools
    assert not check_thread(thread)


def test_sessions_come_one_after_the_other_and_calls_need_one(space: Workspace):
    first, second = tasks(space, "demo", count=2)
    work = Work([first, second])
    assert "call new_session first" in work.call("detect_periodicity", {})
    assert [task.question in work.call("new_session", {}) for task in (first, second, first)] == [True] * 3
    assert "there is no tool" in work.call("answer", {"final_answer": "walking"})


@pytest.mark.parametrize("chosen", [{"split": "train"}, {"session": "s02_0003"}])
def test_every_session_has_the_tools_that_are_named_and_its_thread_the_form(
    space: Workspace, tmp_path: Path, chosen: dict[str, str]
):
    (tmp_path / "sensorloom.toml").write_text('[run]\nevidence = "mix"\n[task]\nform = "compact"\n')
    own = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    options = {"dataset": "demo", "session": None, "split": None, "question": None, "kinds": None, "seed": 0}
    some = tasks_named(own, {**options, "evidence": None, **chosen})
    assert {(task.evidence, task.form) for task in some} == {("reference", COMPACT)}
    work = Work(some, records=True)
    work.call("new_session", {})
    assert "error" not in work.call("show_channel_stats", {})
    (stored,) = recorded(own)
    assert form_of(stored.thread) == COMPACT and len(work.tools) == 2 + len(stored.thread.tools or ()) == 5


def test_an_error_holds_no_id_of_a_session(space: Workspace, tmp_path: Path):
    apart = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    task = tasks(apart, "demo", count=1)[0]
    work = Work([task])
    hold_out(tmp_path, [task.id])
    told = work.call("new_session", {})
    assert "is on the side `test`" in told and task.session not in told


def test_an_answer_that_is_none_is_refused_with_what_would_be_right(space: Workspace):
    work = Work(tasks(space, "demo", count=1), records=True)
    work.call("new_session", {})
    assert "final_answer" in work.call("answer", {})
    assert "high, medium, low" in work.call("answer", {"text": "", "final_answer": "x", "confidence": "very"})


def test_a_session_or_a_side_is_named_and_not_both(space: Workspace, capsys: pytest.CaptureFixture[str]):
    for options in ([], ["--split", "train", "--session", "x"]):
        assert run_command(["mcp", "--dataset", "demo", *options, "--workspace", str(space.root)]) == 1
        assert "name one session with --session" in capsys.readouterr().err


def test_a_held_out_session_may_be_read_and_is_never_drawn_for_training(space: Workspace, tmp_path: Path):
    apart = open_workspace(str(tmp_path), parts={"data": str(space.data)}, environ={})
    hold_out(tmp_path, ["demo/subject:s02"])
    session = next(task.session for task in tasks(apart, "demo", "test"))
    options: dict[str, Any] = {
        "dataset": "demo", "session": session, "split": None, "question": None, "kinds": None, "evidence": None,
        "seed": 0,
    }  # fmt: skip
    assert tasks_named(apart, options)[0].split == "test"
    drawn = tasks_named(apart, {**options, "session": None, "split": "train"})
    assert not [task for task in drawn if task.session.startswith("s02_")]


async def converse(client: Any) -> list[str]:
    """All that an agent can see: the server's words, its tools, and results."""
    async with client:
        offered = (await client.list_tools()).tools
        texts = [client.instructions or "", *(tool.model_dump_json() for tool in offered)]
        begun = await client.call_tool("new_session", {})
        result = await client.call_tool("detect_periodicity", CALL)
        wrong = await client.call_tool("detect_periodicity", {"no": 1})
        closing = {"text": "So it is.", "final_answer": "walking", "confidence": "low"}
        told = await client.call_tool("answer", closing)
        assert not result.is_error and wrong.is_error
        return [*texts, *(part.text for each in (begun, result, wrong, told) for part in each.content)]


def command(space: Workspace, *options: str) -> list[str]:
    where = ["--dataset", "demo", "--split", "train", "--record", "--workspace", str(space.root)]
    return [sys.executable, "-m", "tui", "mcp", *where, *options]


def assert_no_label_is_told(space: Workspace, texts: list[str], before: set[str]) -> None:
    (stored,) = [stored for stored in recorded(space) if stored.stem not in before]
    assert stored.thread.status == "finished" and stored.thread.metadata["model"]
    assert stored.thread.session not in "".join(texts) and "ground_truth" not in "".join(texts)
    assert not [finding for finding in check_thread(stored.thread) if finding.check == "leak"]


async def test_the_official_client_over_standard_input(space: Workspace):
    mcp = pytest.importorskip("mcp", reason="the official SDK is not installed: pip install 'sensorloom[mcp]'")
    before = {stored.stem for stored in recorded(space)}
    program, *arguments = command(space)
    parameters = mcp.StdioServerParameters(command=program, args=arguments, cwd=str(ROOT))
    assert_no_label_is_told(space, await converse(mcp.Client(parameters)), before)


async def test_the_official_client_over_http(space: Workspace):
    mcp = pytest.importorskip("mcp", reason="the official SDK is not installed: pip install 'sensorloom[mcp]'")
    before = {stored.stem for stored in recorded(space)}
    program = command(space, "--http", "0")
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True, cwd=ROOT) as server:  # noqa: ASYNC220
        assert server.stderr is not None
        try:
            address = server.stderr.readline().removeprefix("serving ").strip()
            assert address.startswith("http://127.0.0.1:")
            assert_no_label_is_told(space, await converse(mcp.Client(address)), before)
        finally:
            server.terminate()
            server.stderr.read()


def test_a_port_in_use_is_said(space: Workspace):
    pytest.importorskip("mcp", reason="the official SDK is not installed: pip install 'sensorloom[mcp]'")
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(UsageError, match="name another --http"):
            serve_http(Work(tasks(space, "demo", count=1)), other.getsockname()[1], print)
