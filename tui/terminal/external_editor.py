"""A text in another program's hands, on the terminal that the app leaves to it meanwhile."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from core.errors import UsageError


def open_in_editor(app: App[Any], path: Path) -> None:
    """Open a file in `$VISUAL` or `$EDITOR`. The app waits, its runs go on.

    Raises:
        UsageError: the editor cannot be run, or failed.
    """
    command = _editor()
    try:
        with app.suspend():
            ended = subprocess.run([*command, str(path)], check=False).returncode
    except (OSError, SuspendNotSupported) as error:
        raise UsageError(f"cannot run {command[0]}: {error}; set $EDITOR to the editor you use") from error
    if ended:
        raise UsageError(f"{command[0]} ended with {ended}")


def _editor() -> list[str]:
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")


def text_from_editor(app: App[Any], text: str) -> str:
    """The text as a person left it in `$VISUAL` or `$EDITOR`. The app waits, its runs go on.

    Raises:
        UsageError: the editor cannot be run, or failed.
    """
    command = _editor()
    handle, name = tempfile.mkstemp(prefix="sensorloom-", suffix=".md")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(text)
        with app.suspend():
            ended = subprocess.run([*command, name], check=False).returncode
        if ended:
            raise UsageError(f"{command[0]} ended with {ended}; nothing was changed")
        return path.read_bytes().decode("utf-8", errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise UsageError(f"what {command[0]} wrote is not UTF-8 (byte {error.start}); nothing was changed") from error
    except (OSError, SuspendNotSupported) as error:
        raise UsageError(f"cannot run {command[0]}: {error}; set $EDITOR to the editor you use") from error
    finally:
        path.unlink(missing_ok=True)
