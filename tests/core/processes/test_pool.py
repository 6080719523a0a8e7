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
from core.processes.pool import in_order

ROOT = Path(__file__).parents[3]


def echo() -> Callable[[bytes], bytes]:
    """A job that answers with what it was given."""
    return lambda part: part


def squarer(offset: int) -> Callable[[int], tuple[int, int]]:
    """A job: slow for even parts, so that results come out of order. Answers with its process, too."""

    def job(part: int) -> tuple[int, int]:
        if part == 13:
            raise ThreadError("thirteen is no part")
        if part == 14:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.02 if part % 2 == 0 else 0)
        return os.getpid(), part * part + offset

    return job


def test_results_come_in_the_order_of_the_parts_from_other_processes():
    results = list(in_order(squarer, (5,), range(12), processes=2))
    assert [value for _, value in results] == [number * number + 5 for number in range(12)]
    assert os.getpid() not in {pid for pid, _ in results}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", [100, 6_000_000])
def test_large_parts_and_large_results_do_not_wait_for_each_other(size: int):
    parts = [bytes([number]) * size for number in range(12)]
    assert list(in_order(echo, (), parts, processes=2)) == parts


def test_parts_are_asked_for_as_they_are_needed():
    asked: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(100):
            asked.append(number)
            yield number

    with closing(in_order(squarer, (0,), parts(), processes=2)) as results:
        next(results)
        assert len(asked) < 20


def test_no_parts_give_no_results():
    assert list(in_order(squarer, (0,), list[int](), processes=2)) == []


def test_what_a_job_raises_is_raised_here():
    with pytest.raises(ThreadError, match="thirteen"):
        list(in_order(squarer, (0,), [1, 13, 2, 3], processes=2))


def test_a_process_that_is_killed_is_said_in_one_sentence():
    with pytest.raises(SensorloomError, match="ended early"):
        list(in_order(squarer, (0,), [1, 2, 14, 3], processes=2))


def test_no_process_outlives_work_that_was_stopped_in_the_middle():
    with closing(in_order(squarer, (0,), range(12), processes=2)) as results:
        pids = {next(results)[0] for _ in range(4)}
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_no_process_outlives_a_parent_that_is_killed():
    ended = _script(
        "results = in_order(squarer, (0,), range(40), processes=2)\n"
        "print(*{next(results)[0] for _ in range(6)}, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert ended.returncode == -signal.SIGKILL
    _wait_for_end(map(int, ended.stdout.split()))


def test_a_script_without_a_guard_is_not_run_again_in_each_process(tmp_path: Path):
    (tmp_path / "script.py").write_text(
        f"{_HEAD}print('began', sum(v for _, v in in_order(squarer, (0,), [1], processes=2)))\n"
    )
    ended = subprocess.run(
        [sys.executable, tmp_path / "script.py"], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout == "began 1\n" and ended.returncode == 0


def test_processes_start_where_standard_error_is_no_file():
    ended = _script(
        "import io, sys\n"
        "class Screen(io.StringIO):\n"
        "    def fileno(self): return -1\n"
        "sys.stderr = Screen()\n"
        "print(sum(v for _, v in in_order(squarer, (0,), range(4), processes=2)), flush=True)\n"
        "sys.stderr = sys.__stderr__\n"
    )
    assert (ended.stdout, ended.returncode) == ("14\n", 0), ended.stderr


def test_a_ctrl_c_while_processes_are_started_writes_no_traceback(tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\nif 'forkserver' in ' '.join(sys.orig_argv): os.kill(os.getpid(), signal.SIGINT)\n"
    )  # as a ctrl+c reaches all processes of a terminal
    code = f"{_HEAD}print(sum(v for _, v in in_order(squarer, (0,), range(4), processes=2)))"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.stdout, ended.stderr) == ("14\n", "")


_HEAD = (
    "import os, signal\nfrom core.processes.pool import in_order\nfrom tests.core.processes.test_pool import squarer\n"
)


def _script(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", _HEAD + code], cwd=ROOT, capture_output=True, text=True, check=False)


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
