"""The order of the open thread's turns: put one in, move one, part parallel calls, join two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from core import curate
from core.thread.structure import after, moved_to
from tui.dialogs.ask import AskTextScreen, ChooseScreen, Way
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork

_WAYS = (
    Way("u", "the user says", "a message of the user"),
    Way("a", "the assistant says", "a message without a call"),
    Way("c", "the assistant calls", "a tool with its arguments; it is executed"),
)
_TITLES = {
    "u": "put in: the user says",
    "a": "put in: the assistant says",
    "c": "put in a call: the tool's name, then its arguments",
}


class Structuring:
    """Acts on the focused turn of the open thread. Each act is one step that `u` takes back."""

    def __init__(self, thread: OpenThread) -> None:
        self._thread = thread

    def insert(self) -> None:
        """Put in a message after the focused turn."""
        work = self._thread.work
        if work is None or not work.stored.thread.messages:
            return
        stored, index = work.stored, self._index(work)

        def chosen(key: str | None) -> None:
            if key is not None:
                dialog = AskTextScreen(_TITLES[key], "show_channel_stats {}" if key == "c" else "")
                self._thread.screen.app.push_screen(dialog, lambda text: typed(key, text))

        def typed(key: str, text: str | None) -> None:
            if not text:
                return
            if work.stored.digest != stored.digest or work.busy:
                self._thread.say("the thread has changed meanwhile; nothing was put in", "warning")
            else:
                self._thread.do(partial(self._insert, work, index, key, text))

        dialog = ChooseScreen("put in", "after the turn in focus:", _WAYS)
        self._thread.screen.app.push_screen(dialog, chosen)

    async def _insert(self, work: ThreadWork, index: int, key: str, text: str) -> None:
        from core.runs.toolbox import tools_at
        from core.thread.edits import with_call

        message: dict[str, Any] = {"role": "user" if key == "u" else "assistant", "content": text}
        if key == "c":
            tool, _, arguments = text.partition(" ")
            message = {**with_call({**message, "content": ""}, 0, tool, arguments.strip() or "{}")}
        position = after(work.stored.thread, index)
        with_tools = partial(tools_at, self._thread.workspace)
        if await self._thread.save(work, curate.insert_turn, position, message, with_tools):
            self._thread.conversation.focus_message(position)

    def move(self, by: int) -> None:
        """Move the focused turn one place up or down; the focus goes with it."""
        self._do(partial(self._move, by))

    async def _move(self, by: int, work: ThreadWork, index: int) -> None:
        before = work.stored.thread
        if await self._thread.save(work, curate.move_turn, index, by):
            self._thread.conversation.focus_message(moved_to(before, index, by))

    def split(self) -> None:
        """Give each parallel call of the focused turn a turn of its own."""
        self._do(self._split)

    async def _split(self, work: ThreadWork, index: int) -> None:
        await self._thread.save(work, curate.split_calls, index)

    def join(self) -> None:
        """Join the focused turn with the next."""
        self._do(self._join)

    async def _join(self, work: ThreadWork, index: int) -> None:
        await self._thread.save(work, curate.join_turns, index)

    def _do(self, act: Callable[[ThreadWork, int], Awaitable[None]]) -> None:
        """Carry out an act on what is in focus by then: the key before it may have moved that."""
        work = self._thread.work
        if work is None:
            return

        async def acted() -> None:
            if work.stored.thread.messages and not work.busy:
                await act(work, self._index(work))

        self._thread.do(acted)

    def _index(self, work: ThreadWork) -> int:
        return min(self._thread.conversation.index, len(work.stored.thread.messages) - 1)
