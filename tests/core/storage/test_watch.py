"""What the watch does where the system has no watch left for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.workspace import Workspace

FOLLOWING = """
import sys, threading
from pathlib import Path
from core.storage.watch import watch_folder
folder, stop = Path(sys.argv[1]), threading.Event()
for stems in watch_folder(folder, stop, notice=lambda text: print("notice:", text, flush=True)):
    if stems is None:
        (folder / "new.json").write_text("{}")
    else:
        print("changed:", *stems, flush=True)
        stop.set()
"""


def without(limit: str) -> list[str]:
    """A command that runs the rest with none of that left to the user, in a user namespace of its own."""
    return ["unshare", "-Ur", "sh", "-c", f'echo 0 > /proc/sys/user/{limit} && exec "$@"', "sh"]


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_a_folder_that_the_system_cannot_watch_is_looked_at_and_that_is_said(workspace: Workspace, limit: str):
    try:
        subprocess.run([*without(limit), "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no user namespaces here")
    workspace.threads.mkdir(exist_ok=True)
    told = subprocess.run(
        [*without(limit), sys.executable, "-c", FOLLOWING, str(workspace.threads)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()
    assert len(told) == 2 and told[1] == "changed: new"
    assert told[0].startswith(
        f"notice: {workspace.threads} is looked at every 1 s, because the system does not watch it"
    )
