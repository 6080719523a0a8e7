"""The loop, closed: threads are made, exported and trained on, and the models are asked about people they never saw.

`make loop` (`make servers` prepares what it needs) prints the page of `docs/loop.md`. What a stage has done is kept in
the folder, and a run that was stopped or killed goes on with what is missing. `make loop DEVICE=cuda` trains on a GPU.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.loop.page import page
from tests.loop.round import SLOTS, Round, Sizes, once, sources
from tests.servers.starting import TREE, NotPrepared, python_of

PATIENCE_SEC = 60.0
"""How long a trainer that was killed may take to give its memory back, on a machine that has much else to do."""


def chosen() -> tuple[Path, Sizes]:
    """The folder and the sizes of the command line."""
    wanted = argparse.ArgumentParser(prog="python -m tests.loop")
    wanted.add_argument("--folder", type=Path, default=TREE / "build/loop", help="what is done is kept here")
    wanted.add_argument("--threads", type=int, default=80, help="made of each dataset for each kind of evidence")
    wanted.add_argument("--steps", type=int, default=0, help="of training, two rows each; 0 for all rows once")
    wanted.add_argument("--sessions", type=int, default=100, help="held-out ones that are asked of each dataset")
    wanted.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="what trains")
    wanted.add_argument("--server", choices=tuple(SLOTS), default="llamacpp", help="what the models are served by")
    options = wanted.parse_args()
    return options.folder.resolve(), Sizes(
        options.threads, options.steps, options.sessions, options.server, options.device
    )


@contextmanager
def alone_in(folder: Path, patience_sec: float = PATIENCE_SEC) -> Generator[int]:
    """Keeps a second loop out, and one that is started while the trainer of a killed one still works.

    Yields the lock, which commands and trainers hold as well. Raises SystemExit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
    until = time.monotonic() + patience_sec
    try:
        while not _locked(lock):
            if time.monotonic() > until:
                raise SystemExit(f"{folder} is being worked in: wait for it, end it, or name another --folder")
            time.sleep(0.1)
        yield lock
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def main() -> None:
    """Go round once, and print the page."""
    folder, sizes = chosen()
    try:
        for kind in (sizes.server, sizes.trainer):
            python_of(kind)
    except NotPrepared as reason:
        raise SystemExit(str(reason)) from None
    if sizes.device == "cuda":
        asked = [str(python_of(sizes.trainer)), "-c", "import torch; raise SystemExit(not torch.cuda.is_available())"]
        if subprocess.run(asked, check=False).returncode:
            raise SystemExit("--device cuda: PyTorch finds no GPU here; without it, the processor trains")
    with alone_in(folder) as lock:
        begun = once(folder / "begun.txt", sizes.told)
        if begun != sizes.told():
            raise SystemExit(
                f"{folder} was begun with {begun}, not {sizes.told()}: name another --folder, or delete it"
            )
        way = Round(folder, sizes, sources(), lock)
        print("\n".join(page(way.sources, way.go(), sizes)))


if __name__ == "__main__":
    main()
