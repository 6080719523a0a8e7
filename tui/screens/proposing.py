"""The threads that bring the workspace's goal nearest, to be judged one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.worker import get_current_worker

from core.errors import SensorloomError
from core.filters.queue import ACCEPTED, UNJUDGED, keep_queue
from core.listing.goal import Goal, goal_of, parse_goal, parts_in_words, set_goal
from core.listing.proposing import Proposed, command_to_make, pairs_of, propose, sessions_to_make
from core.text import counted
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.local_keys import keys_of, local_bindings
from tui.screens.batching import Batching
from tui.terminal.crash_guard import Guarded
from tui.terminal.terminal import copy_out, writer
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain

BEGIN = "total=100 label=10"
LOOKS_AGAIN_SECONDS = 1.0
"""Between two looks whether threads were made meanwhile."""
MARGIN = 6
"""Columns of the frame that its keys leave free."""


@dataclass(frozen=True, slots=True)
class GoOn:
    """What the list is to show, and what comes then."""

    filter: str
    first: str = ""
    """The thread to begin with."""
    then: Literal["judge", "make", "export"] = "judge"


class ProposeScreen(Guarded, ModalScreen[GoOn | None]):
    """Shows how far the goal is, what to judge and why, and what is missing even then. Its result says how to go on."""

    DEFAULT_CSS = """
    ProposeScreen #far, ProposeScreen #missing { height: auto; max-height: 6; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("goal")]

    picker = getters.query_one(Picker)

    def __init__(
        self, workspace: Workspace, every: Callable[[], Sequence[Summary]], making: Batching, *, blind: bool
    ) -> None:
        """Args: `every` gives the folder's threads, `making` makes further ones; with `blind` nothing tells a label."""
        super().__init__()
        self._workspace = workspace
        self._every = every
        self._making = making
        self._seen = self._state()
        self._blind = blind
        self._goal: Goal | None = None
        self._proposed: Proposed | None = None
        self._sessions: Mapping[str, Sequence[str]] = {}
        """By dataset, those whose threads are missing."""

    def compose(self) -> ComposeResult:
        """How far it is, the queue, and what is missing."""
        with Vertical(id="dialog"):
            yield Plain(id="far")
            yield Picker(id="picks")
            yield Plain(id="missing")

    def on_mount(self) -> None:
        """Look."""
        self.query_one("#dialog").border_title = "the goal, and what to judge for it"
        self._offer()
        self.picker.empty = "looking for what to judge …"
        self.picker.focus()
        self._look()
        self.set_interval(LOOKS_AGAIN_SECONDS, self._look_again)

    def _look(self) -> None:
        self.run_worker(partial(self._work, self._every()), thread=True, exclusive=True, group="propose")

    def _look_again(self) -> None:
        """Threads were made meanwhile, or no more are."""
        state = self._state()
        if self._seen != state:
            self._seen = state
            self._look()

    def _state(self) -> tuple[str, int]:
        """How far it is, and how many threads are finished: a few may be made between two looks."""
        return self._making.far, sum(summary.status == "finished" for summary in self._every())

    def _work(self, every: Sequence[Summary]) -> None:
        worker = get_current_worker()
        try:
            goal = goal_of(self._workspace)
            proposed = goal and propose(self._workspace, goal, every, lambda: worker.is_cancelled)
            sessions = sessions_to_make(self._workspace, proposed, every) if proposed else {}
        except SensorloomError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._show, goal, proposed, sessions)

    def _show(self, goal: Goal | None, proposed: Proposed | None, sessions: Mapping[str, Sequence[str]]) -> None:
        self._goal, self._proposed, self._sessions = goal, proposed, sessions
        far, missing, keys = self.query_one("#far", Plain), self.query_one("#missing", Plain), keys_of(self)
        self._offer()
        if goal is None or proposed is None:
            self.picker.empty = f"{keys['goal.set']} sets one: how many threads of each label, dataset and person"
            self.picker.show(())
            far.show("no goal is set")
            missing.show("")
            return
        picks, is_reached = proposed.picks, not proposed.lacking
        far_made = f"{self._making.far}; they come here as they are finished" if self._making.busy else ""
        make = (
            far_made or f"{keys['goal.make']} makes threads to judge"
            if sessions
            else "no dataset has a session left for it"
        )
        self.picker.empty = f"{keys['goal.export']} exports what was accepted" if is_reached else make
        self.picker.show(
            [Choice(pick.stem if self._blind else f"{pick.label}  {pick.stem}", "" if self._blind else pick.reason)
             for pick in picks]
        )  # fmt: skip
        judge = f"{counted(len(picks), 'thread')} to judge, the most useful first"
        if not picks:
            judge = "the goal is reached" if is_reached else "nothing to judge"
        far.show(f"{proposed.before.text}\nwanted: {goal.in_words}\n{judge}")
        lacking = proposed.lacking
        even = " even when all of these are accepted" if picks else ""
        missing.show(f"missing{even}: {lacking}" if lacking else "")

    def _offer(self) -> None:
        """Say which keys do something."""
        new = counted(len(pairs_of(self._sessions)), "new thread")
        key = keys_of(self)
        keys = [
            key.hints("goal.queue") if self._proposed and self._proposed.picks else "",
            key.hints("goal.set"),
            f"{key['goal.make']} stop making"
            if self._making.makes_new
            else f"{key['goal.make']} make {new}" * bool(self._sessions and not self._making.busy),
            key.hints("goal.export") * bool(self._proposed and self._proposed.before.accepted),
            key.hints("goal.copy") * bool(self._sessions),
            key.hints("goal.back"),
        ]
        text = " · ".join(filter(None, keys))
        if len(text) + MARGIN > self.app.size.width:  # the way back is shown before that to the shell
            text = " · ".join(filter(None, (*keys[:4], keys[-1])))
        self.query_one("#dialog").border_subtitle = text

    def action_goal(self) -> None:
        """Set the goal."""
        self._ask(self._goal.text if self._goal else BEGIN)

    def _ask(self, begin: str) -> None:
        def typed(text: str | None) -> None:
            if text is not None:
                self.run_worker(lambda: self._set(text), thread=True, group="goal")

        self.app.push_screen(AskTextScreen("the goal, in these words", begin, parts_in_words()), typed)

    def _set(self, text: str) -> None:
        try:
            set_goal(self._workspace, parse_goal(text) if text else None)
        except SensorloomError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
            self.app.call_from_thread(self._ask, text)
        else:
            self.app.call_from_thread(self._look)

    def action_copy(self) -> None:
        """Copy the commands that make what is missing."""
        if commands := command_to_make(self._sessions):
            self.run_worker(lambda: self._copy("\n".join(commands)), thread=True, group="copy")

    def action_export(self) -> None:
        """Go on to the export of what was accepted."""
        if self._proposed and self._proposed.before.accepted:
            self.dismiss(GoOn(ACCEPTED, then="export"))

    def action_make(self) -> None:
        """Make what is missing, about exactly those labels and people; while that is under way, stop it. While a batch
        is gone on with, it says so."""
        if self._making.makes_new:
            self._making.stop_new()
        elif self._sessions and self._making.make(pairs_of(self._sessions)):
            self.dismiss(GoOn(UNJUDGED, then="make"))

    def _copy(self, commands: str) -> None:
        ways = copy_out(self._workspace, commands, writer(self.app))
        text = f"copied to: {ways}; run it in a shell, in the workspace's folder"
        self.app.call_from_thread(self.notify, text, markup=False)

    def action_queue(self) -> None:
        """List these threads, and nothing else, until each is judged."""
        if self._proposed and self._proposed.picks:
            stems = [pick.stem for pick in self._proposed.picks]
            self.run_worker(lambda: self._keep(stems), thread=True, group="goal")

    def _keep(self, stems: Sequence[str]) -> None:
        try:
            wanted = keep_queue(self._workspace, stems)
        except SensorloomError as error:
            self.app.call_from_thread(self.notify, str(error), severity="error", markup=False)
        else:
            self.app.call_from_thread(self.dismiss, GoOn(wanted, stems[0]))
