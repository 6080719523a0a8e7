"""A loop that is killed goes on with what is missing. The trainer and the servers are pretended, no command is."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from core.cli.commands import run_command
from core.storage.store import Stored, read_all
from core.thread.evidence import evidence_of
from tests.fake_server import fake_server, says
from tests.loop.__main__ import alone_in
from tests.loop.page import page
from tests.loop.round import EVIDENCE, SENSORLOOM, Round, Sizes, Source
from tests.tools.made import made_dataset, write_dataset

SIZES = Sizes(threads=12, steps=0, sessions=8, server="llamacpp", device="cpu")


class Killed(Exception):
    pass


@dataclass(frozen=True)
class Rehearsal(Round):
    """A round that is killed after so many programs, the last of which it has not noted yet."""

    killed_after: int = 1000
    ran: list[Sequence[str]] = field(default_factory=list[Sequence[str]])

    def run(self, command: list[str], own: dict[str, str], allowed: Sequence[int] = (0,)) -> tuple[str, float]:
        self.ran.append(command[1:])
        told = self._command(command[1:], own, allowed) if command[0] == str(SENSORLOOM) else self._trains(command)
        if len(self.ran) >= self.killed_after:
            raise Killed
        return told, 12.0

    def _command(self, arguments: list[str], own: dict[str, str], allowed: Sequence[int]) -> str:
        out, err = io.StringIO(), io.StringIO()
        with patch.dict(os.environ, own), redirect_stdout(out), redirect_stderr(err):
            code = run_command(arguments)
        assert code in allowed, err.getvalue()
        return out.getvalue()

    def _trains(self, command: list[str]) -> str:
        history = [{"loss": 2.5, "step": 5}, {"eval_loss": 0.9, "step": 9}, {"loss": 0.5, "step": 9}]
        folder = Path(command[3])
        folder.mkdir(exist_ok=True)
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
        return "rows.jsonl: 9 of 9 rows, 812 tokens (median), 911 at most"

    @contextmanager
    def served(self, model: str, log: Path) -> Generator[Any]:
        with fake_server(says("It moves.\n\nConfidence: low\nFinal Answer: walking", 60)) as server:
            yield SimpleNamespace(url=server.url)


class InTurn(Executor):
    """Does what it is given at once, since commands that run in this process want its main thread."""

    def __init__(self, most: int) -> None:
        pass

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Killed as killed:
            done.set_exception(killed)
        return done


@pytest.fixture
def rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("tests.loop.round.python_of", lambda kind: Path("python"))
    monkeypatch.setattr("tests.loop.round.ThreadPoolExecutor", InTurn)
    write_dataset(tmp_path / "workspace/data/made", made_dataset())
    source = Source("made", None, ("s4", "s5"), "made for this test")
    return lambda killed_after=1000: Rehearsal(tmp_path, SIZES, [source], 0, killed_after)


def test_a_loop_that_is_killed_again_and_again_comes_to_the_same_end(rehearsal: Any) -> None:
    killed: list[Rehearsal] = []
    for killed_after in (2, 3, 5, 2, 2, 2, 1, 2):
        killed.append(rehearsal(killed_after))
        with pytest.raises(Killed):
            killed[-1].go()
    last = rehearsal()
    measured = last.go()
    threads = [stored.thread for stored in read_all(last.workspace / "threads") if isinstance(stored, Stored)]
    assert {e: sum(evidence_of(thread) == e for thread in threads) for e in EVIDENCE} == dict.fromkeys(EVIDENCE, 12)
    trainings = [line for way in (*killed, last) for line in way.ran if line[0].endswith(".trl.py")]
    assert len(trainings) >= 2 and all("--resume" in line for line in trainings)
    told = "\n".join(page(last.sources, measured, SIZES))
    for row in told.splitlines():
        if row.startswith(("| `reference`", "| `measure`")):
            rows = row.split(" | ")[1]
            assert int(rows) > 5 and row.endswith(f"| {rows} of {rows} |") and "2.50 → 0.50 | 0.90 | 12 for 9 |" in row
    assert told.count("| builtin | ") == 2 and "of 8, untuned 2 right, tuned 2, the analyst" in told
    assert "8 answers are one of the 4 labels: walking 8." in told and "That may be chance, 1 in 4" in told
    again = rehearsal()
    again.go()
    assert not again.ran


def test_nobody_works_in_a_folder_twice_at_once(tmp_path: Path) -> None:
    with alone_in(tmp_path), pytest.raises(SystemExit, match="is being worked in"), alone_in(tmp_path, 0):
        pass
