"""One writer of ours at a time, in this program and in others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from core.errors import SensorloomError
from core.storage import store
from core.storage.locks import BusyError, locked, thread_locked
from core.storage.store import Stored
from core.thread.updates import with_metadata
from core.thread.value import Thread as ThreadValue
from core.workspace import Workspace

_OTHER = """
import sys
from pathlib import Path
from core.storage.locks import locked, thread_locked
folder, stem = Path(sys.argv[1]), sys.argv[2]
with (thread_locked(folder, stem) if stem else locked(folder)):
    print("has it", flush=True)
    sys.stdin.read()
"""

_TRIES = """
import sys
from pathlib import Path
from core.storage.locks import thread_locked
with thread_locked(Path(sys.argv[1]), sys.argv[2], patience_sec=0):
    pass
"""


@contextmanager
def another_program(folder: Path, stem: str) -> Generator[subprocess.Popen[str]]:
    """Has the lock of a thread, or of the folder, until its standard input ends."""
    command = [sys.executable, "-c", _OTHER, str(folder), stem]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline().strip() == "has it"
        try:
            yield process
        finally:
            process.kill()


def free_for_another_program(folder: Path, stem: str) -> bool:
    """Whether another program gets a thread's lock at once."""
    done = subprocess.run(
        [sys.executable, "-c", _TRIES, str(folder), stem], check=False, capture_output=True, text=True
    )
    assert not done.returncode or "BusyError" in done.stderr
    return not done.returncode


def test_another_programs_thread_is_waited_for_and_its_others_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with another_program(tmp_path, "a") as process:
        with pytest.raises(BusyError, match=f"another sensorloom has been writing in {tmp_path} for 20 s; try again"):
            with thread_locked(tmp_path, "a", patience_sec=0.02):
                pass
        with thread_locked(tmp_path, "b", patience_sec=0), locked(tmp_path):
            pass
        # a kill frees it, and what was looked at meanwhile took nothing away
        process.kill()
        with thread_locked(tmp_path, "a"):
            pass


def test_what_is_freed_beside_a_lock_does_not_free_it(tmp_path: Path):
    """Of locks of the file system a process loses all when it closes the file."""
    with thread_locked(tmp_path, "a"):
        with thread_locked(tmp_path, "b"):
            pass
        assert not free_for_another_program(tmp_path, "a") and free_for_another_program(tmp_path, "b")


def test_a_folder_that_went_and_came_again_is_locked_anew(tmp_path: Path):
    folder = tmp_path / "threads"
    with thread_locked(folder, "a"):
        shutil.rmtree(folder)
        with thread_locked(folder, "b"):
            assert not free_for_another_program(folder, "b")


def test_a_folder_is_one_under_all_its_names(tmp_path: Path):
    folder, link = tmp_path / "threads", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    with thread_locked(folder, "a"), ThreadPoolExecutor(1) as pool:

        def by_link(stem: str) -> None:
            with thread_locked(link, stem, patience_sec=0):
                pass

        with pytest.raises(BusyError):
            pool.submit(by_link, "a").result()
        pool.submit(by_link, "b").result()
        assert not free_for_another_program(folder, "a")


def test_threads_of_one_program_take_turns_at_a_thread_and_at_nothing_else(tmp_path: Path):
    inside, let_go = Event(), Event()

    def holding() -> None:
        with thread_locked(tmp_path, "a"):
            inside.set()
            let_go.wait(20)

    holder = Thread(target=holding)
    holder.start()
    assert inside.wait(20)
    with pytest.raises(BusyError), thread_locked(tmp_path, "a", patience_sec=0):
        pass
    with thread_locked(tmp_path, "b", patience_sec=0), thread_locked(tmp_path, "b", patience_sec=0):
        let_go.set()
    with thread_locked(tmp_path, "a"):
        pass
    holder.join(20)


def test_two_who_save_what_both_read_do_not_overwrite_each_other(workspace: Workspace, finished: Stored):
    def saved(number: int) -> bool:
        try:
            store.save(workspace.threads, finished, with_metadata(finished.thread, tags=[f"t{number}"]))
        except SensorloomError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(saved, range(8))) == 1


def test_many_who_begin_threads_at_once_get_numbers_of_their_own(workspace: Workspace, finished: Stored):
    def begun(number: int) -> str:
        def make(stem: str) -> ThreadValue:
            return ThreadValue({**finished.thread.document, "id": stem})

        return store.create_new(workspace.threads, "demo", "ab"[number % 2], make).stem

    with ThreadPoolExecutor(8) as pool:
        stems = [*pool.map(begun, range(24))]
    assert sorted(int(stem[-4:]) for stem in stems) == list(range(2, 26))
    with another_program(workspace.threads, "demo_a_v4_0026"):
        assert begun(0) == "demo_a_v4_0027"
