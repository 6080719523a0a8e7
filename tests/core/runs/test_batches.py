"""A batch is a file: it stops at what every thread would meet, leaves no empty thread, and goes on after a kill."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from core import curate
from core.cli.run_told import Results, summary
from core.datasets.standard import open_dataset
from core.model.client import Model
from core.model.endpoints import ModelChoice, choose
from core.runs.after_kill import only_questions, tidy_after_kills
from core.runs.batch import run_jobs
from core.runs.batches import batches, begin_batch, open_batch, setup_now
from core.runs.job import Job
from core.runs.pace import Pace
from core.runs.progress import Meter
from core.storage import store
from core.workspace import Workspace
from tests.fake_server import Answer, FakeServer, calls, fails, fake_server, says, usage
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run

REPO = Path(__file__).parents[3]
FINAL = says("It moves.\n\nConfidence: high\nFinal Answer: walking", 20)
COUNT = 8


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made")
    write_dataset(root / "made", made_dataset(4, 3))
    return root


@pytest.fixture
def workspace(tmp_path: Path, recordings: Path) -> Workspace:
    from core.workspace import open_workspace

    return open_workspace(str(tmp_path), parts={"data": str(recordings)}, environ={})


def command(workspace: Workspace, *arguments: str) -> list[str]:
    return ["run", "--workspace", str(workspace.root), "--data", str(workspace.data), *arguments]


def begun(workspace: Workspace, server: FakeServer | str, *more: str) -> list[str]:
    url = server if isinstance(server, str) else server.url
    return command(
        workspace, "--dataset", "made", "--count", str(COUNT), "--seed", "3", "--question", "What?", "--endpoint", url,
        "--model", "m", *more,
    )  # fmt: skip


def sessions_on_disk(workspace: Workspace) -> list[str]:
    return sorted(read.thread.session for read in store.read_all(workspace.threads) if isinstance(read, store.Stored))


STOPS = {
    "401": fails(401, "no such key"),
    "403": fails(403, "not yours"),
    "no such model": fails(404, "The model `m` does not exist"),
    "no such address": fails(404, "not here"),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_batch_stops_at_the_first_error_that_every_thread_would_meet(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with fake_server(*[STOPS[name]] * COUNT) as server:
        assert run(begun(workspace, server, "--parallel", "2")) == 1
        assert len(server.requests) == 2
    out = capsys.readouterr().out
    assert "every other thread would meet this error too: 6 threads not begun; `sensorloom run --resume" in out
    assert sessions_on_disk(workspace) == []


def test_a_connection_that_is_refused_stops_it_too_and_an_empty_thread_stays_where_one_wants_it(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.model.client.BACKOFF_SEC", 0.0)
    monkeypatch.setattr("core.model.client.Model.__init__.__defaults__", (None, 0.0, None))
    with fake_server() as server:
        url = server.url
    assert run(begun(workspace, url, "--parallel", "1", "--keep-empty")) == 1
    assert "7 threads not begun" in capsys.readouterr().out
    assert len(sessions_on_disk(workspace)) == 1


def test_it_goes_on_where_it_was_stopped_and_asks_no_session_twice(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_KEY", "secret-of-the-lab")
    asked = ("--top-p", "0.5", "--header", "X-A: secret", "--extra-body", '{"api_key": "${LAB_KEY}"}')
    assert run(begun(workspace, "builtin", "--extra-body", '{"api_key": "sk-1"}')) != 0
    assert "`api_key` is a secret" in capsys.readouterr().err
    with fake_server(FINAL, FINAL, fails(401, "expired"), *[FINAL] * COUNT) as server:
        assert run(begun(workspace, server, "--parallel", "1", *asked)) == 1
        first = sessions_on_disk(workspace)
        (name,) = batches(workspace)
        assert len(first) == 2 and len(open_batch(workspace, name).over) == 2
        assert "secret" not in (workspace.private / "batches" / f"{name}.jsonl").read_text()
        assert run(command(workspace, "--resume", "--count", "3")) != 0
        assert "--count was decided when the batch was begun" in capsys.readouterr().err
        assert run(command(workspace, "--resume")) == 0
        assert {(body["top_p"], body["api_key"]) for body in server.requests} == {(0.5, "secret-of-the-lab")}
    assert not any("secret-of-the-lab" in path.read_text() for path in workspace.threads.glob("*.json"))
    drawn = sorted(job.session for job in open_batch(workspace, name).setup.jobs)
    assert sessions_on_disk(workspace) == drawn and set(first) < set(drawn)
    assert run(command(workspace, "--resume", name)) == 0
    assert "is whole" in capsys.readouterr().out
    where = ["--workspace", str(workspace.root)]
    assert run(["batches", *where]) == 0 and f"{name}  8 of 8 done" in (listed := capsys.readouterr().out)
    assert run(["batches", "list", *where]) == 0 and capsys.readouterr().out == listed
    assert run(["batches", "remove", name, *where]) == 0 and not batches(workspace)
    assert len(sessions_on_disk(workspace)) == COUNT


async def test_a_run_that_is_stopped_before_any_thread_is_begun_says_that_it_was_stopped(workspace: Workspace) -> None:
    meter, model = Meter(Pace(1), 2), Model(choose(workspace, "builtin"))
    await meter.pace.begin_thread()  # so that it waits
    jobs = [Job("made", session, "What?") for session in sorted(open_dataset(workspace, "made").sessions)[:2]]
    running = asyncio.create_task(run_jobs(workspace, jobs, model, meter=meter, tools=(), ended=lambda _: None))
    await asyncio.sleep(0)
    running.cancel()
    tally = await running
    assert not tally.told and meter.stopped and not sessions_on_disk(workspace)
    assert "stopped   what is done is kept" in "\n".join(summary(Results(), 2, 1.0, stopped=meter.stopped))


def test_what_came_before_a_failure_stays(workspace: Workspace) -> None:
    with fake_server(calls(("show_channel_stats", "{}")), *[fails(401, "expired")] * COUNT) as server:
        assert run(begun(workspace, server, "--parallel", "1")) == 1
    assert len(sessions_on_disk(workspace)) == 1


def test_a_kill_loses_no_thread_and_doubles_none(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_server(*[FINAL] * 3, *[Answer(hang_first=True)] * 3) as server:
        environment = {**os.environ, "PYTHONPATH": str(REPO)}
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", *begun(workspace, server, "--parallel", "3")],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while len(server.requests) < 6 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (name,) = batches(workspace)
    there = sessions_on_disk(workspace)
    assert 3 <= len(there) <= 6
    where = ["--workspace", str(workspace.root), "--data", str(workspace.data)]
    assert run(["batches", "show", *where]) == 0
    assert f"empty     {len(there) - 3} thread" in capsys.readouterr().out
    kept_by_somebody, undone, *_ = only_questions(workspace, open_batch(workspace, name))
    curate.change_tags(workspace, [kept_by_somebody.stem, undone.stem], ["mine"], [])
    curate.undo(workspace, undone.stem)
    curate.change_tags(workspace, [kept_by_somebody.stem], ["mine"], [])
    tidied = tidy_after_kills(workspace)
    assert tidied.startswith(f"{len(there) - 5} thread") and not tidy_after_kills(workspace)
    assert curate.redo(workspace, undone.stem).stems
    assert len(sessions_on_disk(workspace)) == 5 and not only_questions(workspace, open_batch(workspace, name))
    with (workspace.private / "batches" / f"{name}.jsonl").open("ab") as file:
        file.write(b'{"job":7,"st')  # as a kill in the middle of a line leaves it
    with fake_server(*[FINAL] * COUNT) as server:
        assert run(command(workspace, "--resume", "--endpoint", server.url)) == 0
        assert len(server.requests) == COUNT - 3
    assert sessions_on_disk(workspace) == sorted(job.session for job in open_batch(workspace, name).setup.jobs)


def test_that_its_ways_are_sorted_out_is_said_of_no_job(workspace: Workspace) -> None:
    batch = begin_batch(workspace, [Job("made", "s"), Job("made", "s", number=1)], setup_now(ModelChoice()))
    batch.note(0, "made_v4_0001", problem="the server is gone")
    batch.note(0, sorted_out=True)
    assert open_batch(workspace).failed == {0: "the server is gone"} and open_batch(workspace).sorted_out


@pytest.mark.parametrize("address", ["http://user:pass-word@{}", "http://{}?key=pass-word"])
def test_an_address_with_a_password_is_refused_where_it_would_be_written_down(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    with fake_server(*[FINAL] * COUNT) as server:
        endpoint = address.format(server.url.removeprefix("http://"))
        assert run(begun(workspace, endpoint)) != 0
        ways = ("--dataset", "made", "--count", "2", "--per-session", "2", "--endpoint", endpoint)
        assert run(command(workspace, *ways)) != 0
        evaluate = ("evaluate", "--dataset", "made", "--count", "2", "--endpoint", endpoint)
        assert run([*evaluate, "--workspace", str(workspace.root), "--data", str(workspace.data)]) != 0
        assert not server.requests
    told = capsys.readouterr().err
    assert told.count("was given with a password or a key") == 3 and "[[endpoints]]" in told
    assert "pass-word" not in told and not batches(workspace)
    written = [path for path in workspace.root.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert not [path for path in written if b"pass-word" in path.read_bytes()]


def test_what_is_noted_after_a_torn_line_is_read(workspace: Workspace) -> None:
    batch = begin_batch(workspace, [Job("made", "s"), Job("made", "s", number=1)], setup_now(ModelChoice()))
    with batch.path.open("ab") as file:
        file.write(b'{"job":1,"st')  # as a kill, or a full disk, leaves it
    batch.note(0, "made_v4_0001")
    assert open_batch(workspace).stems == {0: "made_v4_0001"}, "else it would be begun a second time"


def test_what_it_cost_stands_at_turn_thread_batch_and_in_the_statistics(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    final = Answer([*FINAL.chunks[:-1], usage(2_000, 1_000)])
    prices = ("--price-in", "3", "--price-out", "15", "--json")
    with fake_server(*[final] * COUNT) as server:
        assert run(begun(workspace, server, *prices)) == 0
    told: Any = json.loads(capsys.readouterr().out)
    assert told["cost"] == pytest.approx(COUNT * 0.021) and told["threads"][0]["cost"] == pytest.approx(0.021)
    assert (told["prompt_tokens"], told["completion_tokens"]) == (16_000, 8_000)
    stem = told["threads"][0]["id"]
    assert store.read(workspace.threads, stem).thread.messages[-1]["usage"]["cost"] == 0.021
    where = ["--workspace", str(workspace.root), "--data", str(workspace.data)]
    assert run(["stats", "--quick", *where]) == 0
    assert "16,000 tokens read, 8,000 written, cost 0.17" in capsys.readouterr().out
    assert run(["show", stem, *where]) == 0
    assert "2,000 tokens read, 1,000 written, cost 0.021" in capsys.readouterr().out
    assert run(["list", "--filter", "cost>0.02", *where]) == 0
    assert len(re.findall(r"made_", capsys.readouterr().out)) >= COUNT
