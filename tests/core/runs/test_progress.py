"""How far a run is, as a value, and as a command shows it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.model.endpoints import ModelChoice
from core.runs.pace import pace_for
from core.runs.progress import Meter, Progress, duration, rounded, thread_over, told, turn_made
from core.workspace import Workspace, open_workspace
from tests.fake_server import fails, fake_server, says
from tests.tools.made import made_dataset, write_dataset
from tui.__main__ import run


def test_rates_are_of_late_and_say_when_it_ends() -> None:
    progress = Meter(pace_for(ModelChoice()), 1_000, 100, clock=lambda: 0.0).progress
    assert progress.left == 900 and progress.turns_a_second == progress.left_sec is None, "nothing is known yet"
    for second in range(1, 601):  # for five minutes a thread of 2 turns a second, then half as many
        for _ in range(2 if second <= 300 or second % 2 else 0):
            progress = turn_made(progress, 50, float(second))
        if second <= 300 or second % 2:
            progress = thread_over(progress, "", float(second))
    assert (progress.done, progress.turns, progress.tokens) == (550, 900, 45_000)
    assert progress.turns_a_second == pytest.approx(1, abs=0.1)
    assert progress.tokens_a_second == pytest.approx(50, abs=5)
    assert progress.threads_a_minute == pytest.approx(30, abs=2)
    assert progress.left_sec == pytest.approx(900, abs=60)
    assert len(msgspec.json.encode(progress)) < 2_000, "it is written twice a second"
    failed = thread_over(progress, "m answers no more", 601.0)
    assert (failed.failed, failed.left, failed.problem) == (1, 449, "m answers no more")
    assert msgspec.structs.replace(progress, paused=True).left_sec is None


def test_in_words() -> None:
    progress = Progress(5_000, 212, 3, running=48, asking=40, limit=64)
    assert told(progress) == ["212 of 5,000 done", "3 failed", "48 of 64 in flight"]
    assert "pausing, 40 finish their turn" in told(msgspec.structs.replace(progress, paused=True))
    assert "paused" in told(msgspec.structs.replace(progress, paused=True, asking=0))
    assert [duration(seconds) for seconds in (0.2, 59.5, 200, 7_500, 90_000)] == [
        "1 s", "1 min", "3 min 20 s", "2 h 5 min", "1 d 1 h"
    ]  # fmt: skip
    assert [rounded(rate) for rate in (0.417, 4.17, 41.7, 4_170.0)] == ["0.42", "4.2", "42", "4,170"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    write_dataset(tmp_path / "data" / "made", made_dataset(4, 3))
    return open_workspace(str(tmp_path), environ={})


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_keeps_a_line_of_it_and_a_pipe_gets_lines(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr("core.cli.run_progress.in_terminal", lambda *_: terminal)
    monkeypatch.setattr("core.cli.run_progress.LINE_SEC", 0.01)
    monkeypatch.setattr("core.cli.run_progress.PIPE_SEC", 0.01)
    final = says("It moves.\n\nConfidence: high\nFinal Answer: walking", 60)
    busy = fails(429, "slow down", retry_after_ms="100")
    with fake_server(busy, busy, final) as server:
        options = ["--dataset", "made", "--count", "4", "--question", "What?", "--model", "m", "--parallel", "2"]
        assert run(["run", "--workspace", str(workspace.root), "--endpoint", server.url, *options]) == 0
    err = capsys.readouterr().err
    assert err.count("waiting 0.1 s") == 1, "two waited for the same reason"
    assert "[4/4] " in err and "0 of 4 done · 2 in flight, slowed to 1" in err
    if terminal:
        assert err.endswith(" \r") and " \r[1/4]" in err
    else:
        assert "\r" not in err and "\n0 of 4 done" in err
