"""What the model is asked for beside turns, about the open thread: several ways at its session, how hard that is …"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import SensorloomError
from core.storage.memory import recall, remember
from tui.dialogs.ask import AskTextScreen, ChooseScreen, Way
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.running import Running
from tui.open_thread.thread_work import ThreadWork

if TYPE_CHECKING:
    from core.runs.runner import AskBeside

_RUBRIC = "rubric file"
_WAYS = (
    Way("n", "several ways", "right ones stay, wrong ones become preference pairs"),
    Way("d", "difficulty", "how often it is right here; no thread is kept"),
    Way("h", "hint", "a new thread, the truth told; kept when nothing shows it"),
    Way("p", "paraphrase", "this reasoning in other words, if all still holds"),
    Way("f", "faithfulness", "does the answer rest on the result it cites?"),
    Way("j", "judge", "a score by a rubric file, beside your own verdict"),
)


class Teaching:
    """Asks which of them, and starts it as a run of the open thread, which `turn.stop` stops."""

    def __init__(self, thread: OpenThread, running: Running) -> None:
        self._thread = thread
        self._running = running

    def ask(self) -> None:
        """Choose what the model is asked for."""
        work = self._thread.work
        if work is None:
            return

        def answered(key: str | None) -> None:
            if key == "j":
                self._ask_rubric(work)
            elif key is not None and not work.busy:
                self._begin(work, key)

        dialog = ChooseScreen("with the model", "what it is to do with this thread or its session:", _WAYS)
        self._thread.screen.app.push_screen(dialog, answered)

    def _begin(self, work: ThreadWork, key: str) -> None:
        from core.teaching import beside
        from core.teaching.faithfulness import check_faithfulness
        from core.teaching.paraphrase import paraphrase

        asks: dict[str, AskBeside] = {
            "n": beside.several_ways,
            "h": beside.hinted,
            "p": paraphrase,
            "f": check_faithfulness,
            "d": beside.difficulty,
        }
        self._running.ask_beside(work, asks[key])

    def _ask_rubric(self, work: ThreadWork) -> None:
        """Ask which rubric file to judge by; the one used last stands there already."""

        def answered(text: str | None) -> None:
            if text and not work.busy:
                self._thread.do(partial(self._judge, work, text))

        async def asked() -> None:
            last = await asyncio.to_thread(recall, self._thread.workspace, _RUBRIC, "rubric.md")
            self._thread.screen.app.push_screen(AskTextScreen("rubric file", str(last)), answered)

        self._thread.do(asked)

    async def _judge(self, work: ThreadWork, text: str) -> None:
        from core.teaching.judge import judge, read_rubric

        workspace = self._thread.workspace
        path = Path(text) if text.startswith("~") else workspace.root / text
        try:
            rubric = await asyncio.to_thread(read_rubric, path)
            await asyncio.to_thread(remember, workspace, _RUBRIC, text)
        except SensorloomError as error:
            self._thread.say(str(error), "error")
            return
        self._running.ask_beside(work, partial(judge, rubric=rubric))
