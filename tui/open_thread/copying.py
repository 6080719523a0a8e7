"""Taking a part of the open thread along: into the terminal's clipboard and tmux's, or its file into an editor."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core.curate.packing import unpack
from core.errors import SensorloomError
from core.storage.thread_files import file_of, path_of
from core.text import one_line
from core.thread.turns import calls_with_results
from core.thread.value import Message, call_arguments, call_name, text_of
from core.workspace import Workspace
from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.open_thread import OpenThread
from tui.terminal.external_editor import open_in_editor
from tui.terminal.terminal import copy_out, writer
from tui.widgets.lines import size_text

WAYS = (
    Way("m", "message", "the focused message's text"),
    Way("c", "call", "its tool call, or the one that it answers: name and arguments"),
    Way("a", "arguments", "that call's arguments, as JSON"),
    Way("r", "result", "that call's result, as JSON"),
    Way("i", "id", "the thread's id"),
    Way("p", "path", "the thread's file"),
    Way("s", "show command", "the command that prints this thread"),
    Way("l", "link", "the command that opens the program at this message"),
)


class Copying:
    """Copies parts of the open thread, and opens its file elsewhere."""

    def __init__(self, thread: OpenThread) -> None:
        self._thread = thread

    def choose(self) -> None:
        """Ask what is copied, and copy it."""
        work = self._thread.work
        if work is None:
            return
        conversation = self._thread.conversation
        messages = [block.part.message for block in conversation.laid.blocks]
        texts = parts_of_message(messages, conversation.index)
        stem, root = work.stored.stem, str(self._thread.workspace.root)
        texts["i"] = stem
        texts["p"] = str(self._path)
        texts["s"] = shlex.join(["sensorloom", "show", stem, "--workspace", root])
        texts["l"] = shlex.join(["sensorloom", "--workspace", root, "--open", f"{stem}#{conversation.index + 1}"])
        ways = [
            Way(way.key, way.label, f"{way.about}: {one_line(texts[way.key], 32)}")
            for way in WAYS
            if texts.get(way.key)
        ]

        def chosen(key: str | None) -> None:
            if key is not None:
                label = next(way.label for way in WAYS if way.key == key)
                self._thread.screen.run_worker(partial(self._copy, label, texts[key]), thread=True, group="copy")

        self._thread.screen.app.push_screen(ChooseScreen("copy", "What is copied?", ways), chosen)

    def _copy(self, label: str, text: str) -> None:
        ways = copy_out(self._thread.workspace, text, writer(self._thread.screen.app))
        self._thread.screen.call_later(self._thread.say, f"{label} ({size_text(len(text))}) copied to: {ways}")

    def open_file(self) -> None:
        """Open the thread's file in `$VISUAL` or `$EDITOR`; what is changed there is taken in."""
        work = self._thread.work
        if work is not None:
            opening = self._open(work.stored.stem)
            self._thread.screen.run_worker(opening, group="file", exclusive=True)

    async def _open(self, stem: str) -> None:
        workspace = self._thread.workspace
        path = path_of(workspace.threads, stem)
        try:
            await asyncio.to_thread(_as_file, workspace, path)
            open_in_editor(self._thread.screen.app, path)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
        self._thread.changed([stem])

    @property
    def _path(self) -> Path:
        work = self._thread.work
        assert work is not None
        return file_of(self._thread.workspace.threads, work.stored.stem)


def _as_file(workspace: Workspace, path: Path) -> None:
    """Take a thread out of its pack: an editor needs a file. Raises SensorloomError."""
    if path.exists():
        return
    problems = unpack(workspace, [path.stem]).problems
    if problems and not path.exists():
        raise SensorloomError(problems[0])


def parts_of_message(messages: Sequence[Message], index: int) -> dict[str, str]:
    """What can be copied of a message, by the keys of `WAYS`. Of several calls, and results, each is a line."""
    message = messages[index] if 0 <= index < len(messages) else {}
    if message.get("role") == "tool":
        before = (pair for at in range(index) for pair in calls_with_results(messages, at))
        calls, results = [call for call, answer in before if answer == index], [message]
    else:
        pairs = calls_with_results(messages, index) if message else []
        calls = [call for call, _ in pairs]
        results = [messages[answer] for answer in sorted(at for _, at in pairs if at is not None)]
    return {
        "m": text_of(message),
        "c": "\n".join(f"{call_name(call)} {call_arguments(call)}" for call in calls),
        "a": "\n".join(call_arguments(call) for call in calls),
        "r": "\n".join(text_of(result) for result in results),
    }
