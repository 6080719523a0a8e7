"""Prompts of one's own: the texts in `prompts/`, and the accepted threads that are shown as examples.

What a thread was begun with is kept by its checksum under `.sensorloom/prompts/`, so that a later turn is asked with
the same, whatever becomes of the file. A thread names it: `terse.txt@0123456789abcdef`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import SensorloomError, UsageError, system_reason
from core.files import read_regular_file
from core.storage.atomic import write_atomic
from core.storage.store import read
from core.text import counted
from core.thread.form import KEY, NONE, SHOWN, USUAL, Ahead, TaskForm, checksum, form_of
from core.thread.opening import system_prompt
from core.thread.value import Message, Thread
from core.workspace import EVALUATIONS, Workspace, private_folder

FOLDER = "prompts"
"""Where a workspace has its prompts, and under `.sensorloom/` where those that were used are kept."""
_PINNED = re.compile(r"(?P<name>.+)@(?P<sha>[0-9a-f]{16})")


def pinned(workspace: Workspace, value: str, folder: Path | None = None, *, keeps: bool = True) -> str:
    """A prompt's name with the checksum of its text; `usual` and `none` as they are.

    Args:
        workspace: where it is kept.
        value: the name of a file in `prompts/`.
        folder: where the file lies instead.
        keeps: whether the text is kept by that checksum; who only compares leaves the disk alone.

    Raises:
        UsageError: there is no such file, or it is no text, or the name leads out of the folder.
        SensorloomError: it cannot be kept.
    """
    if value in (USUAL, NONE) or _PINNED.fullmatch(value):
        return value
    if Path(value).name != value:  # settings and threads may be anybody's: no other file goes to a server for them
        raise UsageError(f"the prompt {value!r} is no file's name; put it into {FOLDER}/ and name it without a folder")
    path = (workspace.root / FOLDER if folder is None else folder) / value
    try:
        text = read_regular_file(path).decode("utf-8-sig").strip()
    except OSError as error:
        raise UsageError(f"the prompt {workspace.shown(path)} cannot be read: {system_reason(error)}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the prompt {workspace.shown(path)} is no UTF-8 text (byte {error.start + 1})") from error
    return f"{path.name}@{keep(workspace, text) if keeps else checksum(text)}"


def prompt_text(workspace: Workspace, value: str, usual: str) -> str:
    """The text of a prompt, which may be pinned: as it was kept, or as the file has it where that is the same.

    Raises:
        UsageError: it is neither kept nor in `prompts/` as it was.
    """
    if value in (USUAL, NONE):
        return usual if value == USUAL else ""
    matched = _PINNED.fullmatch(value if _PINNED.fullmatch(value) else pinned(workspace, value))
    assert matched is not None
    text = _recalled(workspace, matched["sha"])
    if not isinstance(text, str):
        try:
            if pinned(workspace, matched["name"]) == value:
                return prompt_text(workspace, value, usual)
        except UsageError:
            pass
        raise UsageError(
            f"the prompt {matched['name']} that it was begun with is not there any more; put it into {FOLDER}/ as it "
            f"was (checksum {matched['sha']}), or begin another thread"
        )
    return text


def ahead_of(workspace: Workspace, thread: Thread) -> Ahead:
    """What is sent before a thread's messages. Raises UsageError: it is not there any more."""
    examples: list[Message] = []
    for value in shown_in(thread):
        examples += _shown(workspace, value)
    return Ahead(prompt_text(workspace, form_of(thread).system, system_prompt()), tuple(examples))


def _shown(workspace: Workspace, value: str) -> list[Message]:
    """The messages of a thread that was shown as an example. Raises UsageError: they are not there any more."""
    name, _, sha = value.rpartition("@")
    messages = _recalled(workspace, sha)
    if not isinstance(messages, list):
        try:
            messages = list(read(examples_folder(workspace), name).thread.messages)
        except SensorloomError:
            messages = []
        if checksum(messages) != sha:
            raise UsageError(f"the thread {name} that it was shown as an example is not there as it was any more")
    return messages


def kept_for(workspace: Workspace, thread: Thread) -> dict[str, bytes]:
    """What is kept of all that is sent before a thread's messages, by the names of the files that keep it: what another
    machine needs for `ahead_of`. Raises UsageError: something is not there any more."""
    system = form_of(thread).system
    prompt_text(workspace, system, "")  # which keeps what only the file had
    pinned_system = _PINNED.fullmatch(system)
    shas = [pinned_system["sha"]] if pinned_system else []
    shas += [keep(workspace, _shown(workspace, value)) for value in shown_in(thread)]
    return {f"{sha}.json": read_regular_file(workspace.private / FOLDER / f"{sha}.json") for sha in shas}


def take_kept(workspace: Workspace, files: Mapping[str, bytes]) -> None:
    """Keep what `kept_for` gave on another machine. Raises SensorloomError."""
    folder = private_folder(workspace, FOLDER)
    for name, content in files.items():
        if not (folder / name).exists():
            write_atomic(folder / name, content, durable=False)


def shown_in(thread: Thread) -> list[str]:
    """The threads that were shown as examples, each with its checksum."""
    recorded = thread.metadata.get(KEY)
    shown = recorded.get(SHOWN) if isinstance(recorded, dict) else None
    return [value for value in shown if isinstance(value, str)] if isinstance(shown, list) else []


def examples_lacking(thread: Thread) -> str:
    """What a person is told of a thread that was shown fewer examples than were asked for; empty where none lack."""
    wanted, there = form_of(thread).few_shot, len(shown_in(thread))
    if not isinstance(wanted, int) or wanted <= there:
        return ""
    return (
        f"{thread.id} is shown {there} of {counted(wanted, 'example')}: no other accepted thread of its form and "
        "evidence may be shown (docs/task-forms.md)"
    )


def examples_folder(workspace: Workspace) -> Path:
    """Where the threads are that may be shown: an evaluation's are never shown."""
    if workspace.examples is not None:
        return workspace.examples
    if workspace.threads.is_relative_to(workspace.root / EVALUATIONS):
        return workspace.root / workspace.settings.paths.threads
    return workspace.threads


def keep(workspace: Workspace, value: Any) -> str:
    """Keep a prompt's text, or a thread's messages, by the checksum that is returned. Raises SensorloomError."""
    sha = checksum(value)
    path = private_folder(workspace, FOLDER) / f"{sha}.json"
    if not path.exists():
        write_atomic(path, json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass"))
    return sha


def _recalled(workspace: Workspace, sha: str) -> Any:
    """What was kept by this checksum; None where it is not there, or is something else by now."""
    try:
        value = json.loads(read_regular_file(workspace.private / FOLDER / f"{sha}.json"))
    except (OSError, ValueError):
        return None
    return value if checksum(value) == sha else None


def with_prompts(workspace: Workspace, form: TaskForm, system: str = "", question: str = "") -> TaskForm:
    """The form with prompts that stand in files anywhere, by their paths. Raises SensorloomError."""
    import msgspec

    changes: dict[str, str] = {}
    for field, path in (("system", system), ("question", question)):
        if path:
            folder = Path(path).expanduser().absolute().parent
            changes[field] = path if path in (USUAL, NONE) else pinned(workspace, Path(path).name, folder)
    return msgspec.structs.replace(form, **changes)
