"""All threads about one session as a tree: which branched off which, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from core.errors import UsageError
from core.listing.order import arrange
from core.thread.summary import Summary


@dataclass(frozen=True, slots=True)
class Node:
    """One thread of the tree."""

    summary: Summary
    depth: int
    """0 for a thread that branches off none of them."""
    stems: tuple[bool, ...]
    """For each level above its own, whether that level goes on below: a line is drawn through."""
    last: bool
    """Whether it is the last one on its level."""
    below: int
    """How many threads descend from it."""


def session_tree(every: Iterable[Summary], stem: str) -> tuple[Node, ...]:
    """The threads of the session that thread `stem` is about, the oldest first, branches under their parents.

    Raises:
        UsageError: there is no such thread.
    """
    listed = list(every)
    wanted = next((summary for summary in listed if summary.stem == stem), None)
    if wanted is None:
        raise UsageError(f"there is no thread {stem!r}")
    about = wanted.dataset, wanted.session
    same = [summary for summary in listed if summary.stem == stem or (about[1] and about == _about(summary))]
    rows = arrange(same, "oldest")
    nodes: list[Node] = []
    open_levels: list[bool] = []
    for number, row in enumerate(rows):
        rest = [later.depth for later in rows[number + 1 :]]
        below = next((count for count, depth in enumerate(rest) if depth <= row.depth), len(rest))
        after = rest[below] if below < len(rest) else -1
        goes_on = after == row.depth
        del open_levels[row.depth :]
        nodes.append(Node(row.summary, row.depth, tuple(open_levels[1:]), not goes_on, below))
        open_levels.append(goes_on)
    return tuple(nodes)


def _about(summary: Summary) -> tuple[str, str]:
    return summary.dataset, summary.session


def unfolded(nodes: Sequence[Node], folded: Collection[str]) -> list[Node]:
    """The nodes that show when the branches of those in `folded`, by their stems, do not."""
    shown: list[Node] = []
    hidden_until = -1
    for number, node in enumerate(nodes):
        if number <= hidden_until:
            continue
        shown.append(node)
        if node.summary.stem in folded:
            hidden_until = number + node.below
    return shown


def connectors(node: Node) -> str:
    """The lines that lead to a node: `│  ├─ `; nothing for one that branches off none."""
    if not node.depth:
        return ""
    return "".join("│  " if goes_on else "   " for goes_on in node.stems) + ("└─ " if node.last else "├─ ")


def where(summary: Summary) -> str:
    """Where a branch leaves its parent: `from message 5`, counted from 1; nothing for what is no branch."""
    return f"from message {summary.branched_at + 1}" if summary.parent and summary.branched_at is not None else ""
