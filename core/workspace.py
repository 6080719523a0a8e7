"""Where things are: the four folders of a workspace, and its private one.

The folders come from, in this order: the command's options, the environment, `sensorloom.toml` in the
workspace, the person's own one, the standard names. Everything under `.sensorloom/` is derived or personal and
may be deleted.
"""

from __future__ import annotations

import getpass
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from core.errors import WorkspaceError, system_reason
from core.settings import SETTINGS_FILE, Settings, harmless_part, layered, load_tables
from core.trust import Question, question, user_folder

PARTS = ("threads", "exports", "data")
EVALUATIONS = "evaluations"
"""Beside `threads/`: the answers of evaluated models."""
PACKS = "packs"
"""In `threads/`: the packs, many threads in one file."""
PACK = ".jsonl.zst"
"""The ending of packs. One that cannot be read is listed, under its whole name."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace's folders, all absolute, and its settings."""

    root: Path
    threads: Path
    exports: Path
    data: Path
    settings: Settings
    """The person's own, and over them the folder's; of a folder that is not trusted, only what sends nothing."""
    undecided: Question | None = None
    """What the folder would do and may not, as nobody trusts it; None when there is nothing of the kind."""
    examples: Path | None = None
    """Where threads are that may be shown as examples, while threads are made apart from them."""

    @property
    def private(self) -> Path:
        """`.sensorloom/`: index, caches, history, trash, what is remembered."""
        return self.root / ".sensorloom"

    @property
    def person(self) -> str:
        """Who works here: `[person] name`, or the login; empty where neither is known."""
        name = self.settings.person.name.strip()
        if name:
            return name
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user may have no name
            return ""

    def apart(self, threads: Path) -> Workspace:
        """The workspace with another folder in the place of the training threads, which still serve as examples."""
        return replace(self, threads=threads, examples=self.examples or self.threads)

    def shown(self, path: Path) -> str:
        """A path as a person wants to read it: relative to the workspace where it is inside."""
        return shown_from(self.root, path)


def shown_from(root: Path, path: Path) -> str:
    """A path as `Workspace.shown` has it, of a workspace at `root`."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def open_workspace(
    root: str | None = None,
    *,
    parts: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Workspace:
    """Resolve a workspace without creating anything.

    Args:
        root: the `--workspace` option; the current folder when it and `SENSORLOOM_WORKSPACE` are absent.
        parts: the `--threads`, `--exports` and `--data` options, relative to the current folder.
        environ: the process's environment unless told.

    Raises:
        WorkspaceError: the folder does not exist, one of its parts is a file, or its settings are wrong.
    """
    env = os.environ if environ is None else environ
    base = Path(root or env.get("SENSORLOOM_WORKSPACE") or ".").expanduser().absolute()
    if not base.is_dir():
        raise WorkspaceError(f"the workspace {base} is no folder; make it first, or name another with --workspace")
    tables, undecided = load_tables(base / SETTINGS_FILE), question(base)
    untrusted = undecided is not None and SETTINGS_FILE in undecided.untrusted
    own = load_tables(user_folder() / SETTINGS_FILE)
    settings = layered(own, harmless_part(tables) if untrusted else tables)
    folders: dict[str, Path] = {}
    for part in PARTS:
        chosen = (parts or {}).get(part) or env.get(f"SENSORLOOM_{part.upper()}")
        if chosen:
            folders[part] = Path(chosen).expanduser().absolute()
        else:
            folders[part] = base / Path(getattr(settings.paths, part)).expanduser()
        if (is_file := _is_file(folders[part])) is None:
            raise WorkspaceError(f"the {part} folder {str(folders[part])[:100]!r} is no name of a folder")
        if is_file:
            raise WorkspaceError(f"the {part} folder {folders[part]} is a file; name a folder with --{part}")
    return Workspace(base, folders["threads"], folders["exports"], folders["data"], settings, undecided)


def _is_file(folder: Path) -> bool | None:
    """Whether there is a file where a folder is wanted; None for what can be no name: too long, or with a zero byte."""
    try:
        return None if "\0" in str(folder) else folder.exists() and not folder.is_dir()
    except OSError:
        return None


def private_folder(workspace: Workspace, *names: str) -> Path:
    """A folder under `.sensorloom/`, made when first needed.

    Raises:
        WorkspaceError: it cannot be made.
    """
    folder = workspace.private.joinpath(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        ignore = workspace.private / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise WorkspaceError(f"cannot make {folder}: {system_reason(error)}") from error
    return folder


def holds_evaluations(workspace: Workspace) -> bool:
    """Whether the folder of threads is that of an evaluated model: nothing in it is trained on, or changed."""
    return workspace.threads.is_relative_to(workspace.root / EVALUATIONS)


def names_for_threads(workspace: Workspace, name: str) -> tuple[str, ...]:
    """Where under `.sensorloom/` a folder about the threads is: apart for each threads folder that the workspace is
    used with, because two of them may hold files of one name."""
    return _names_for_threads(workspace.root, workspace.threads, name)


@lru_cache(maxsize=256)
def _names_for_threads(root: Path, threads: Path, name: str) -> tuple[str, ...]:
    shown = shown_from(root, threads)
    return (name,) if shown == "threads" else (name, f"@{hashlib.sha256(os.fsencode(shown)).hexdigest()[:12]}")
