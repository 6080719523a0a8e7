"""The frame of the main screen: what is painted first, which panes there is room for, and the keys that are shown."""

from __future__ import annotations

from collections.abc import Sequence

from textual import getters
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import Reactive
from textual.widget import Widget

from core.text import one_line
from core.thread.cost import cost_of_all, cost_shown, tokens_in
from core.thread.value import Thread
from tui.keys import Action
from tui.terminal.crash_guard import Guarded
from tui.terminal.textual_private import CoveredScreen, notice_space
from tui.widgets.filter_field import FilterField
from tui.widgets.key_bar import KeyBar
from tui.widgets.line_view import LineView
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain
from tui.widgets.thread_list import ThreadList

NOTICE_ROWS = 12
"""Rows at the top that notices may take."""
PANES = ("threads", "conversation", "sensors")


class Frame(Guarded, CoveredScreen[None]):
    """Threads, conversation and sensors side by side, or as many of them as fit. What they hold comes later."""

    # Textual's own paints the whole screen at each change of the focus; here the frames of the panes show it
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    listed = getters.query_one("#threads", ThreadList)
    filter_line = getters.query_one("#filter", FilterField)
    key_bar = getters.query_one(KeyBar)

    def __init__(self, actions: Sequence[Action], heading: str = "") -> None:
        """Args: `heading` is a line above the panes."""
        super().__init__(classes="at-threads")
        self._heading = heading
        self.actions = actions
        """All of them, with a person's own keys."""
        self._where = {action.id: action.where for action in actions if action.where}
        self.searched = False
        """Whether something is searched for in the conversation."""
        self._turn_situation = "conversation"
        self._at = self._beside = "threads"
        """The pane that has the focus, and the one beside the conversation where there is room for two."""

    def compose(self) -> ComposeResult:
        """Lay out the frame."""
        if self._heading:
            yield Plain(self._heading, id="heading")
        with Horizontal(id="panes"):
            with Pane(id="threads-pane", classes="pane"):
                yield ThreadList(id="threads")
                yield Plain(id="filter-problem")
                yield FilterField(id="filter")
            with Pane(id="conversation-pane", classes="pane"):
                yield Plain(id="finding")
            yield Pane(id="sensors-pane", classes="pane")
        yield KeyBar(self.actions)

    def on_mount(self) -> None:
        """The list has the focus; the filter line gets it when it is asked for."""
        self.filter_line.can_focus = False
        self.query_one("#threads-pane", Pane).retitle("threads")
        self.listed.focus()

    def on_screen_suspend(self) -> None:
        """Another screen opens, and says what there is to say; Textual shows it here again afterwards."""
        if (space := notice_space(self)) is not None:
            space.display = False

    def focus_pane(self, name: str) -> None:
        """Bring a pane to the screen, and put the focus there."""
        self._at = name
        if name != "conversation":
            self._beside = name
        if not self.has_class("-wide"):
            self._choose_panes()
        self.query_one(f"#{name}").focus()

    def on_resize(self) -> None:
        """Choose the panes that a narrower screen shows, the one that keys go to among them."""
        focused = next((pane for pane in PANES if self.query(f"#{pane}-pane:focus-within")), self._at)
        self._at = focused
        if focused != "conversation":
            self._beside = focused
        self._choose_panes()

    def _choose_panes(self) -> None:
        """Say which panes there is room for. Every change of a class styles the whole screen anew, so it is one change,
        and none where all panes are shown anyway."""
        others = {name for name in self.classes if not name.startswith("at-")} - {"beside-sensors"}
        chosen = others | {f"at-{self._at}"} | ({"beside-sensors"} if self._beside == "sensors" else set[str]())
        if chosen != self.classes:
            self.set_classes(chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether a key is that of an action here: some are so only in one place."""
        match self._where.get(str(parameters[0]), "") if action == "do" else "":
            case "row":
                return self.listed.has_focus and self._turn_situation != "proposal"
            case "conversation":
                return self._in_conversation
            case "similar":
                return self.listed.has_focus and bool(self.listed.likeness) and self._turn_situation != "running"
            case "lanes":
                return bool(self.query("#sensors:focus")) and self._turn_situation != "proposal" and not self._is_live
            case "live":
                return self._is_live
            case "hits":
                return self.searched and self._in_conversation and self._turn_situation != "running"
            case _:
                return super().check_action(action, parameters)

    @property
    def _in_conversation(self) -> bool:
        return bool(self.query("#conversation-pane:focus-within")) and not self.query("#editor:focus-within")

    @property
    def _is_live(self) -> bool:
        """Whether the sensors have the focus, and follow a recording."""
        return any(getattr(pane, "following", False) for pane in self.query("#sensors:focus"))

    def show_keys(self) -> None:
        """Show the keys of where the focus is."""
        self._show_keys()

    def show_searched(self, searched: bool) -> None:
        """Show the keys that walk the hits of a search, or no longer."""
        self.searched = searched
        self._show_keys()

    def next_pane(self) -> None:
        """Go to the pane at the right."""
        self._step_pane(1)

    def previous_pane(self) -> None:
        """Go to the pane at the left."""
        self._step_pane(-1)

    def _step_pane(self, step: int) -> None:
        at = next((number for number, pane in enumerate(PANES) if self.query_one(f"#{pane}").has_focus), 0)
        self.focus_pane(PANES[(at + step) % len(PANES)])

    def show_situation(self, name: str) -> None:
        """Show the keys of what the open thread is doing: one that actions name in `bar`."""
        self._turn_situation = name
        self._show_keys()

    def on_descendant_focus(self) -> None:
        """Show the keys of where the focus is."""
        self._show_keys()

    def _show_keys(self) -> None:
        if self.query("#editor:focus-within"):
            self.key_bar.show("editor")
            return
        if self.filter_line.has_focus:
            self.key_bar.show("filter")
            return
        if self.query("#search:focus"):
            self.key_bar.show("search")
            return
        if self._is_live:
            self.key_bar.show("live")
            return
        pane = next((pane for pane in PANES[1:] if self.query(f"#{pane}:focus")), "threads")
        waits = self._turn_situation != "conversation" and pane != "sensors"
        searched = self.searched and pane == "conversation" and self._turn_situation != "running"
        self.key_bar.show("hits" if searched else self._turn_situation if waits else pane)

    @property
    def ends_high(self) -> bool:
        """Whether the open thread ends so far up that notices at the top would lie over its answer."""
        views = self.query("#conversation").results(LineView)
        return not self.has_class("-wide") and any(view.rows_to_end < NOTICE_ROWS for view in views)

    def title_thread(self, stem: str, thread: Thread | None = None) -> None:
        """Say which thread is open, what its turns read and wrote, and what it cost, where that is known."""
        messages = () if thread is None else thread.messages
        (read, written), cost = tokens_in(messages), cost_of_all(messages)
        told = f" · {read:,}→{written:,} tokens" if read or written else ""
        told += "" if cost is None else f" · cost {cost_shown(cost)}"
        self.query_one("#conversation-pane", Pane).retitle(f"{one_line(stem, 120)}{told}")
