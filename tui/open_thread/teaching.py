"""What the model is asked for beside turns, about the open thread: several ways at its session, how hard that is …"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.dialogs.ask import ChooseScreen, Way
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.running import Running
from tui.open_thread.thread_work import ThreadWork

if TYPE_CHECKING:
    from core.runs.runner import AskBeside

_WAYS = (
    Way("n", "several ways", "new threads about this session; right ones stay, wrong ones become preference pairs"),
    Way("h", "hint", "a new thread whose teacher is told the truth; kept only when nothing in it shows that"),
    Way("p", "paraphrase", "this thread's reasoning in other words; kept only when numbers and calls still hold"),
    Way("d", "difficulty", "how often the model answers this session right; no thread is kept"),
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
            if key is not None and not work.busy:
                self._begin(work, key)

        dialog = ChooseScreen("with the model", "what it is to do with this thread or its session:", _WAYS)
        self._thread.screen.app.push_screen(dialog, answered)

    def _begin(self, work: ThreadWork, key: str) -> None:
        from core.teaching import beside
        from core.teaching.paraphrase import paraphrase

        asks: dict[str, AskBeside] = {
            "n": beside.several_ways,
            "h": beside.hinted,
            "p": paraphrase,
            "d": beside.difficulty,
        }
        self._running.ask_beside(work, asks[key])
