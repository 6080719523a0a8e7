"""The terminal around the app: what it is asked for, and copying text out of it."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import SensorloomError
from core.storage.atomic import write_atomic
from core.text import printable
from core.workspace import Workspace, private_folder

if TYPE_CHECKING:
    from textual.app import App

OSC52_LIMIT = 74_000
"""Characters of base64 that common terminals take in one sequence."""
TMUX_SECONDS = 2.0


def prepare_environment() -> None:
    """What Textual reads from the environment when it is imported.

    No link is fast enough for animation to be worth its bytes. Over SSH, an arrow key can arrive in two pieces
    further apart than Textual's own delay, and would be taken for escape and a letter.
    """
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "1000")  # without animations no more frames, each only sooner
    if os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY"):
        os.environ.setdefault("ESCDELAY", "250")


def copy_out(workspace: Workspace, text: str, write: Callable[[str], object]) -> str:
    """Copy text every way there is, and say which ones were tried: none of them reports success.

    Args:
        workspace: where the file is kept that always works.
        text: what is copied.
        write: writes to the terminal.
    """
    tried: list[str] = []
    data = base64.b64encode(printable(text).encode()).decode()
    if len(data) <= OSC52_LIMIT:
        write(f"\x1b]52;c;{data}\x07")
        tried.append("terminal (OSC 52)")
    if os.environ.get("TMUX") and _to_tmux(text):
        tried.append("tmux buffer")
    try:
        path = private_folder(workspace) / "copied.txt"
        write_atomic(path, text.encode())
        tried.append(workspace.shown(Path(path)))
    except SensorloomError:
        pass  # the other ways stand for themselves
    return ", ".join(tried) or "nowhere: neither the terminal nor a file could be written"


def keep_pasted(workspace: Workspace, text: str) -> str:
    """Keep a paste that no field takes in a file. Returns what became of it, in one sentence with the way on."""
    much = f"{len(text.encode(errors='surrogatepass')) / 1e6:.1f} MB were pasted, more than a field takes"
    try:
        path = private_folder(workspace) / "pasted.txt"
        write_atomic(path, text.encode(errors="surrogatepass"))
    except SensorloomError as error:
        return f"{much}, and they could not be kept: {error}"
    file = workspace.shown(Path(path))
    return f"{much}; they are kept in {file}: `sensorloom edit THREAD --message N --from {file}` puts them in"


def writer(app: App[Any]) -> Callable[[str], None]:
    """Writes to the app's terminal from a worker's thread. Textual's own copy takes no text longer than a line."""

    def write(sequence: str) -> None:
        driver = getattr(app, "_driver", None)
        if driver is not None:
            app.call_from_thread(driver.write, sequence)

    return write


def _to_tmux(text: str) -> bool:
    program = shutil.which("tmux")
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, "load-buffer", "-w", "-"], input=text.encode(), capture_output=True, timeout=TMUX_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
