from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import SensorloomError, ThreadError
from core.processes import pool
from core.processes.pool import in_order
from core.processes.worker import Write

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "_cores", lambda: 2)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def echo() -> Callable[[bytes, Write], None]:
    """A job that answers with what it was given, in two pieces."""

    def job(part: bytes, write: Write) -> None:
        write(part[: len(part) // 2])
        write(part[len(part) // 2 :])

    return job


def squarer(offset: int) -> Callable[[int, Write], int]:
    """A job: slow for even parts, so that results come out of order."""

    def job(part: int, write: Write) -> int:
        if part == 13:
            write(b"not all of it")
            raise ThreadError("thirteen is no part")
        if part == 14:
            os.kill(os.getpid(), signal.SIGKILL)
        if part == 15:
            os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(0.02 if part % 2 == 0 else 0)
        write(b"%d" % (part * part + offset))
        return os.getpid()

    return job


OPENER = f"{Path(__file__).stem}:squarer"


def test_results_come_in_the_order_of_the_parts_from_other_processes():
    found = [(pid, bytes(data)) for pid, data in in_order(OPENER, (5,), range(12))]
    assert [data for _, data in found] == [b"%d" % (number * number + 5) for number in range(12)]
    assert len({pid for pid, _ in found}) == 2 and os.getpid() not in {pid for pid, _ in found}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", [100, 3_000_000, 6_000_000])
@pytest.mark.parametrize("shared", [True, False])
def test_large_parts_and_large_results_do_not_wait_for_each_other(
    size: int, shared: bool, monkeypatch: pytest.MonkeyPatch
):
    if not shared:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    parts = [bytes([number]) * size for number in range(12)]
    assert [bytes(data) for _, data in in_order(f"{Path(__file__).stem}:echo", (), parts)] == parts


def test_parts_are_taken_as_they_are_needed():
    taken: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with closing(in_order(OPENER, (0,), parts())) as results:
        next(results)
        assert len(taken) < 20


def test_no_parts_give_no_results():
    assert list(in_order(OPENER, (0,), [])) == []


def test_what_a_job_raises_is_raised_here():
    with pytest.raises(ThreadError, match="thirteen"):
        list(in_order(OPENER, (0,), [1, 13, 2, 3]))


def test_a_process_that_is_killed_is_said_in_one_sentence():
    with pytest.raises(SensorloomError, match="ended early"):
        list(in_order(OPENER, (0,), [1, 2, 14, 3]))


def test_none_outlives_what_was_stopped_in_the_middle():
    with closing(in_order(OPENER, (0,), range(12))) as results:
        pids = {next(results)[0] for _ in range(4)}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_none_outlives_a_parent_that_is_killed():
    script = (
        "import os, signal\n"
        "from core.processes import pool\n"
        "pool._cores = lambda: 2\n"
        f"results = pool.in_order({OPENER!r}, (0,), range(40))\n"
        "print(*{next(results)[0] for _ in range(6)}, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    _wait_for_end(map(int, ended.stdout.split()))


def test_the_work_goes_on_when_the_process_that_forked_the_others_is_killed():
    parts = [1, 15, *range(2, 10)]
    found = [(pid, bytes(data)) for pid, data in in_order(OPENER, (0,), parts)]
    assert [data for _, data in found] == [b"%d" % (number * number) for number in parts]
    _wait_for_end({pid for pid, _ in found})


def latecomer(parent: int, sign: Path) -> Callable[[int, Write], int]:
    """A job that other processes begin only when a part was done where it was asked for."""
    while os.getpid() != parent and not sign.exists():
        time.sleep(0.01)

    def job(part: int, write: Write) -> int:
        sign.touch()
        write(b"%d" % part)
        return os.getpid()

    return job


@pytest.mark.timeout(60)
def test_the_first_parts_may_be_done_here_while_the_processes_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    setup = os.getpid(), tmp_path / "begun"
    results = in_order(f"{Path(__file__).stem}:latecomer", setup, range(40), help_at_first=True)
    found = [(pid, bytes(data)) for pid, data in results]
    assert [data for _, data in found] == [b"%d" % number for number in range(40)]
    assert {os.getpid()} < {pid for pid, _ in found}


def _wait_for_end(pids: Iterable[int]) -> None:
    deadline = time.monotonic() + 60
    for pid in pids:
        while _alive(pid):
            assert time.monotonic() < deadline, f"process {pid} is still there"
            time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
