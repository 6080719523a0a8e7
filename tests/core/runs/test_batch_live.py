"""A batch under way, as another process sees it: how far it is, paused, gone on with, stopped, and never made twice."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import UsageError
from core.listing.index import summaries
from core.model.endpoints import ModelChoice
from core.runs.batch_live import ask, look
from core.runs.batches import batches, begin_batch, open_batch, setup_now
from core.runs.job import Job, begin
from core.runs.progress import Progress
from core.workspace import Workspace, open_workspace
from tests.fake_server import Answer, FakeServer, fails, fake_server, says
from tests.tools.made import made_dataset, write_dataset
from tests.tui.driving import notices
from tests.tui.motion import motion_workspace, until
from tui.__main__ import run
from tui.app import SensorloomApp

REPO = Path(__file__).parents[3]
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking", 60)
COUNT = 12


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(4, 3))
    return open_workspace(str(tmp_path), environ={})


def arguments(workspace: Workspace, server: FakeServer) -> list[str]:
    return ["run", "--workspace", str(workspace.root), "--dataset", "made", "--count", str(COUNT), "--seed", "3",
            "--question", "What?", "--endpoint", server.url, "--model", "m", "--parallel", "2"]  # fmt: skip


@contextmanager
def made_elsewhere(workspace: Workspace, server: FakeServer) -> Generator[subprocess.Popen[bytes]]:
    """A process of its own that makes a batch; its name is that of the only one."""
    with subprocess.Popen(
        [sys.executable, "-m", "tui", *arguments(workspace, server)],
        env={**os.environ, "PYTHONPATH": str(REPO)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def wait(process: subprocess.Popen[bytes], condition: Callable[[], bool]) -> None:
    while not condition():
        assert process.poll() is None, "it ended"
        time.sleep(0.02)


def command(workspace: Workspace, *words: str) -> int:
    return run(["batches", *words, "--workspace", str(workspace.root)])


def test_a_batch_of_another_process_is_watched_paused_gone_on_with_and_stopped(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = threading.Event()

    def slowly(_: object) -> Answer:
        if len(server.requests) > 4:
            heard.wait(30)  # so that it is not over before it hears of the pause
        return FINAL

    with fake_server(FINAL) as server, made_elsewhere(workspace, server) as process:
        server.answer = slowly
        wait(process, lambda: bool(batches(workspace)) and look(workspace, batches(workspace)[0]).progress.turns > 0)
        (name,) = batches(workspace)
        seen = look(workspace, name)
        assert (seen.alive, seen.state, seen.progress.of) == (True, "under way", COUNT)
        assert str(process.pid) in seen.maker and seen.progress.limit == 2
        assert command(workspace, "pause") == 0
        wait(process, lambda: look(workspace, name).progress.paused)
        heard.set()
        wait(process, lambda: look(workspace, name).state == "paused")
        assert run([*arguments(workspace, server)[:3], "--resume", name]) != 0
        assert f"batch {name} is being made by process {process.pid}" in capsys.readouterr().err
        assert command(workspace, "remove", name) != 0
        asked, done = len(server.requests), look(workspace, name).progress.done
        assert done < COUNT and command(workspace, "show", name) == 0
        assert f"{done} of {COUNT} done · paused" in capsys.readouterr().out
        server.answer = lambda _: Answer(hang_first=True)
        assert command(workspace, "resume", name) == 0
        wait(process, lambda: len(server.requests) > asked)
        assert command(workspace, "stop", name) == 0
        out, _ = process.communicate()
        assert process.returncode == 130 and "stopped   what is done is kept" in out.decode()
    after = look(workspace, name)
    assert after.state == "left" and done <= after.progress.done < COUNT
    capsys.readouterr()
    assert command(workspace, "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["batches"]
    assert (row["state"], row["threads"], row["over"]) == ("left", COUNT, after.progress.done)
    with pytest.raises(UsageError, match="goes on with what is left"):
        ask(workspace, name, "pause")


def test_a_batch_that_was_killed_is_left_to_be_gone_on_with(workspace: Workspace) -> None:
    with fake_server(FINAL, FINAL, FINAL, Answer(hang_first=True)) as server:
        with made_elsewhere(workspace, server) as process:
            wait(process, lambda: len(server.requests) >= 5)
            (name,) = batches(workspace)
            wait(process, lambda: look(workspace, name).progress.done == 3)
            known = look(workspace, name)
            ask(workspace, name, "pause")
            process.send_signal(signal.SIGKILL)
            process.wait()
        after = look(workspace, name, known)
        assert (after.alive, after.state, after.wish, after.progress.done) == (False, "left", None, 3)
        server.script = [FINAL]
        assert run([*arguments(workspace, server)[:3], "--resume", name]) == 0, "who was asked to pause is dead"
    assert look(workspace, name, after).state == "whole"


def test_what_failed_is_told_and_its_threads_are_listed(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with fake_server(*[FINAL] * 5, fails(400, "no such luck")) as server:
        assert run(arguments(workspace, server)) == 1
    (name,) = batches(workspace)
    seen = look(workspace, name)
    assert (seen.progress.done, seen.progress.failed, seen.state) == (5, COUNT - 5, "left")
    capsys.readouterr()
    assert command(workspace, "show") == 0
    told = capsys.readouterr().out
    assert f"5 of {COUNT} done · {COUNT - 5} failed" in told and "no such luck" in told

    def listed(terms: str) -> list[Any]:
        assert run(["list", "--workspace", str(workspace.root), "--filter", terms, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    stems = set(open_batch(workspace, name).stems.values())
    there = {summary.stem for summary in summaries(workspace)}
    assert {row["id"] for row in listed(f"batch:{name}")} == stems & there and len(stems & there) == 5
    assert listed("batch:none") == [] and len(listed("batch:any")) == 5
    assert run(["list", "--workspace", str(workspace.root), "--filter", "batch:nowhere"]) != 0
    assert f"there is no batch 'nowhere'; there are: {name}" in capsys.readouterr().err
    assert command(workspace, "remove", name) == 0 and not batches(workspace)
    assert command(workspace, "restore") == 0 and batches(workspace) == [name]


async def test_the_screen_takes_away_what_a_kill_left_and_says_so(tmp_path: Path) -> None:
    workspace = motion_workspace(tmp_path)
    jobs = [Job("motion", session, "What?") for session in ("s01_0", "s01_1")]
    batch = begin_batch(workspace, jobs, setup_now(ModelChoice()))
    for job in batch.left(workspace):
        begin(workspace, job, "What?")
    live = {"pid": 1, "host": socket.gethostname(), "progress": Progress(2)}
    (workspace.private / "batches" / f"{batch.name}.live").write_bytes(msgspec.json.encode(live))
    app = SensorloomApp(workspace)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until(pilot, lambda: [n for n in notices(pilot) if "2 threads of a killed batch" in n.message])
        await until(pilot, lambda: not list(workspace.threads.glob("*.json")))
    assert len(open_batch(workspace, batch.name).left(workspace)) == 2, "both are begun anew"
