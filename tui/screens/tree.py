"""The tree of a session: every thread about it, branches under their parents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.listing.session_tree import Node, connectors, session_tree, unfolded, where
from core.text import counted, one_line
from core.thread.review import truth_hidden
from core.thread.summary import Summary
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.lines import Line, Span, spread
from tui.widgets.plain import plain
from tui.widgets.row_list import RowList
from tui.widgets.thread_list import ANSWERS, STATUSES, VERDICTS


class TreeView(RowList):
    """The tree's rows: how far each thread is, what it says, and where it leaves its parent."""

    def __init__(self, nodes: Sequence[Node], stem: str, *, blind: bool) -> None:
        super().__init__(id="tree")
        self.nodes = nodes
        self.shown = list(nodes)
        self.folded: set[str] = set()
        self._stem = stem
        self._blind = blind

    @property
    def count(self) -> int:
        """How many rows show."""
        return len(self.shown)

    def fold(self, folded: set[str]) -> None:
        """Hide the branches of these threads; the cursor goes to the nearest row above that shows."""
        at = self.nodes.index(self.shown[self.cursor])
        self.folded = folded
        self.shown = unfolded(self.nodes, folded)
        showing = {node.summary.stem for node in self.shown}
        stem = next(node.summary.stem for node in reversed(self.nodes[: at + 1]) if node.summary.stem in showing)
        self.cursor = next(number for number, node in enumerate(self.shown) if node.summary.stem == stem)
        self.rows_changed()

    def line(self, index: int, at_cursor: bool, width: int) -> Line:
        """One thread."""
        node = self.shown[index]
        summary = node.summary
        hidden = truth_hidden(summary.verdict, blind=self._blind)
        fold = "▸" if summary.stem in self.folded else "▾" if node.below else " "
        number = summary.stem.rpartition("_")[2]
        wrong = summary.correct is False and not hidden
        more = f" · {node.below} below" if summary.stem in self.folded else ""
        left: list[Span] = [
            ("▸" if at_cursor else " ", "mark"),
            ("*" if summary.stem == self._stem else " ", "mark"),
            (f" {connectors(node)}", "dim"),
            (f"{fold} ", "mark"),
            STATUSES.get(summary.status, ("○", "text")),
            ANSWERS[None if hidden else summary.correct],
            VERDICTS.get(summary.verdict, (" ", "dim")),
            (f" {one_line(number, 8)} ", "text"),
            (one_line(summary.answer, 40) or "no answer yet", "bad" if wrong else "text"),
            (more, "dim"),
            *((f"  #{one_line(tag, 24)}", "mark") for tag in summary.tags),
        ]
        right = " · ".join(filter(None, (where(summary), f"{summary.turns}t")))
        return spread(tuple(left), ((right, "dim"),), width)


class TreeScreen(Guarded, ModalScreen[str | None]):
    """Shows the tree of a thread's session. Its result is the stem of the thread to go to, or None."""

    DEFAULT_CSS = """
    TreeScreen #dialog { width: 110; max-width: 100%; }
    TreeScreen #tree { height: auto; max-height: 30; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("tree")]

    tree_view = getters.query_one(TreeView)

    def __init__(self, every: Sequence[Summary], stem: str, *, blind: bool) -> None:
        """Args: `every` are the folder's threads; with `blind` nothing tells a thread's label."""
        super().__init__()
        self._threads = session_tree(every, stem)
        self._stem = stem
        self._blind = blind

    def compose(self) -> ComposeResult:
        """The tree in a box."""
        with Vertical(id="dialog") as box:
            session = one_line(self._threads[0].summary.session, 40) or "no session"
            title = f"{session} · {counted(len(self._threads), 'thread')}"
            box.border_title = plain(title)  # pyright: ignore[reportAttributeAccessIssue] - a string would be markup
            box.border_subtitle = keys_of(self).hints(
                "tree.go", ("tree.fold", "tree.unfold"), ("tree.fold_all", "tree.unfold_all"), "tree.back"
            )
            yield TreeView(self._threads, self._stem, blind=self._blind)

    def on_mount(self) -> None:
        """Begin at the thread that was asked about."""
        view = self.tree_view
        view.cursor = next(number for number, node in enumerate(self._threads) if node.summary.stem == self._stem)
        view.rows_changed()
        view.focus()

    def action_fold(self, folded: bool) -> None:
        """Fold the branches of the row, or of the nearest above it that has some; or show them."""
        view = self.tree_view
        node = view.shown[view.cursor]
        stem = node.summary.stem
        if not folded:
            view.fold(view.folded - {stem})
        elif node.below and stem not in view.folded:
            view.fold(view.folded | {stem})
        else:
            above = (other for other in reversed(view.shown[: view.cursor]) if other.depth < node.depth)
            if parent := next(above, None):
                view.fold(view.folded | {parent.summary.stem})

    def action_fold_all(self, folded: bool) -> None:
        """Fold every branch, or none."""
        self.tree_view.fold({node.summary.stem for node in self._threads if node.below} if folded else set())

    def action_go(self) -> None:
        """Go to the thread under the cursor."""
        self.dismiss(self.tree_view.shown[self.tree_view.cursor].summary.stem)
