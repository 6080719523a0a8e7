"""Every action of the app, once: its key, its words, and where the key bar shows it.

Keys are plain characters in a pane, `ctrl` with a letter that SSH, tmux and flow control let through, or a
function key. Capital `A B C D F H` stay unused: a slow link splits an arrow key into `esc` and one of them.
`[keys]` in `sensorloom.toml` rebinds an action by its id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from textual.binding import Binding

from core.errors import WorkspaceError


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does."""

    id: str
    """What `sensorloom.toml` and the code call it."""
    keys: str
    """Textual's names of its keys, separated by commas; the first is the one that is shown."""
    label: str
    """One or two words for the key bar."""
    help: str
    """A line for the help screen and the palette."""
    group: str
    """The help screen's heading."""


MOVING = "Moving"
THREADS = "Threads"
TURNS = "Turns"
SENSORS = "Sensors"
PROGRAM = "Program"

PANE_ACTIONS = (
    Action("move.down", "j,down", "down", "one down", MOVING),
    Action("move.up", "k,up", "up", "one up", MOVING),
    Action("move.first", "g,home", "first", "to the first", MOVING),
    Action("move.last", "G,end", "last", "to the last", MOVING),
    Action("move.page_down", "pagedown,ctrl+d", "page down", "a page down", MOVING),
    Action("move.page_up", "pageup,ctrl+u", "page up", "a page up", MOVING),
)
"""Moves that each pane binds for itself, so that they act where the focus is."""

ACTIONS = (
    Action("pane.next", "tab", "next pane", "to the next pane", MOVING),
    Action("pane.previous", "shift+tab", "previous pane", "to the previous pane", MOVING),
    Action("pane.threads", "1", "threads", "to the threads", MOVING),
    Action("pane.conversation", "2", "conversation", "to the conversation", MOVING),
    Action("pane.sensors", "3", "sensors", "to the sensors", MOVING),
    Action("thread.new", "n", "new", "make a new thread: dataset, session and question", THREADS),
    Action("list.filter", "slash", "filter", "show only threads that match; empty shows all", THREADS),
    Action("list.sort", "o", "sort", "sort by another column", THREADS),
    Action("list.saved", "f", "filters", "use, keep or delete a saved filter", THREADS),
    Action("list.mark", "m", "mark", "mark for verdicts and deletion of several at once", THREADS),
    Action("list.unmark", "M", "unmark all", "take all marks away", THREADS),
    Action("list.blind", "w", "blind", "hide the truth, here and in the conversation, or show it", THREADS),
    Action("list.statistics", "i", "statistics", "the statistics board: balance, wrong answers, turns, tools", THREADS),
    Action("verdict.accept", "a", "good", "verdict: accept, and go to the next", THREADS),
    Action("verdict.reject", "d", "bad", "verdict: reject, and go to the next", THREADS),
    Action("verdict.skip", "z", "skip", "verdict: skip, and go to the next", THREADS),
    Action("thread.delete", "delete", "delete", "move to the trash; undo brings it back", THREADS),
    Action("thread.trash", "U", "trash", "the trash: bring a deleted thread back", THREADS),
    Action("export.now", "x", "export", "export the finished threads that the filter shows", THREADS),
    Action("export.choose", "X", "export …", "choose what is exported, in which form, and see it before", THREADS),
    Action("threads.migrate", "V", "convert v3", "convert older v3 threads; the originals are kept", THREADS),
    Action("turn.run", "r", "run", "ask the model for the next turn, as a proposal", TURNS),
    Action("turn.run_to_end", "R", "run to end", "run to the final answer, accepting each turn", TURNS),
    Action("turn.sample", "s", "sample", "propose several turns at this point, to choose from", TURNS),
    Action("turn.accept", "y,enter", "accept", "take the proposed turn into the thread", TURNS),
    Action("turn.retry", "t", "retry", "propose again; the rejected one is kept in alternatives", TURNS),
    Action("turn.discard", "backspace", "discard", "put the proposal aside, into alternatives", TURNS),
    Action("turn.stop", "escape", "stop", "stop what is running; what came is kept as a proposal", TURNS),
    Action("turn.edit", "e", "edit", "edit the message in place", TURNS),
    Action("turn.edit_external", "E", "editor", "edit the message in $EDITOR", TURNS),
    Action("turn.settle", "S", "settle", "settle what is stale: re-run, accept as it is, or move to a branch", TURNS),
    Action("turn.loss", "l", "loss", "keep this turn in or out of the training loss", TURNS),
    Action("turn.delete", "T", "take out", "take this turn out; undo brings it back, alternatives keep it", TURNS),
    Action("turn.branch", "b", "branch", "copy the thread up to this turn into a new one", TURNS),
    Action("turn.previous_sibling", "left_square_bracket", "◂ branch", "to the previous branch", TURNS),
    Action("turn.next_sibling", "right_square_bracket", "branch ▸", "to the next branch", TURNS),
    Action("turn.compare", "v", "compare", "two threads, or a proposal and its alternatives, side by side", TURNS),
    Action("check.next", "exclamation_mark", "findings", "to the next thing the checks find in this thread", TURNS),
    Action("check.fix", "ctrl+f", "fix", "put right what the checks find, where that needs no decision", TURNS),
    Action("turn.replay", "c", "replay", "execute the stored calls again and compare", TURNS),
    Action("turn.execute", "ctrl+e", "execute", "execute this turn's calls anew; what differs is taken in", TURNS),
    Action("turn.undo", "u", "undo", "undo the last change of this thread, also after a restart", TURNS),
    Action("turn.redo", "ctrl+r", "redo", "redo what was undone", TURNS),
    Action("sensor.plot", "p", "plot", "the channels on the full screen: pan and zoom", SENSORS),
    Action("sensor.play", "space", "play", "play the session in real time", SENSORS),
    Action("app.model", "ctrl+o", "model", "choose endpoint and model, and how to sample", PROGRAM),
    Action("app.palette", "ctrl+p", "palette", "find any action by name", PROGRAM),
    Action("app.help", "question_mark,f2", "help", "all keys", PROGRAM),
    Action("app.suspend", "ctrl+z", "suspend", "to the shell; `fg` there comes back", PROGRAM),
    Action("app.quit", "q", "quit", "stop what is running, save, and leave", PROGRAM),
)
"""What the app binds, whichever pane has the focus."""

KEY_BAR: Mapping[str, tuple[str, ...]] = {
    "threads": (
        "thread.new", "turn.run", "turn.run_to_end", "list.filter", "verdict.accept", "verdict.reject",
        "verdict.skip", "list.mark", "list.sort", "export.now", "turn.undo", "list.saved",
        "list.statistics", "app.model",
    ),
    "conversation": (
        "turn.run", "turn.run_to_end", "turn.edit", "turn.branch", "turn.sample", "turn.undo", "verdict.accept",
        "verdict.reject", "check.next", "turn.loss", "turn.compare", "thread.new", "export.now",
    ),
    "proposal": (
        "turn.accept", "turn.retry", "turn.discard", "turn.edit", "turn.sample", "turn.run_to_end", "turn.compare",
    ),
    "stale": (
        "turn.settle", "turn.edit", "turn.undo", "turn.branch", "turn.run", "turn.compare", "verdict.accept",
        "verdict.reject", "turn.loss",
    ),
    "running": ("turn.stop", "pane.next", "thread.new", "list.filter"),
    "sensors": ("sensor.plot", "sensor.play", "pane.next", "turn.run", "turn.run_to_end"),
}  # fmt: skip
"""Which keys the key bar offers in which situation, the most wanted first: a narrow one cuts the end off."""

TYPING_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "editor": (
        ("ctrl+t", "save"),
        ("ctrl+r", "save and re-run"),
        ("tab", "next"),
        ("ctrl+g", "$EDITOR"),
        ("esc", "keep draft"),
    ),
    "filter": (("enter", "back to the list"),),
}
"""What the key bar says where text is typed, and letters are no keys."""

_SHOWN = {
    "slash": "/", "exclamation_mark": "!", "question_mark": "?", "left_square_bracket": "[",
    "right_square_bracket": "]", "escape": "esc",
    "backspace": "⌫", "delete": "del", "space": "space", "pagedown": "pgdn", "pageup": "pgup",
    "down": "↓", "up": "↑",
}  # fmt: skip


def shown(key: str) -> str:
    """A key as a person reads it: `/` for `slash`."""
    return _SHOWN.get(key, key)


def shown_keys(action: Action) -> str:
    """All keys of an action, for the help screen."""
    return " ".join(shown(key) for key in action.keys.split(","))


def bindings() -> list[Binding]:
    """The app's bindings; every one ends in `action_do` with the action's id."""
    return [Binding(one.keys, f"do('{one.id}')", one.label, show=False, id=one.id) for one in ACTIONS]


def pane_bindings() -> list[Binding]:
    """A pane's moves: `action_move_down`, `action_move_up`, `action_move_first` and so on are the pane's own."""
    return [Binding(one.keys, one.id.replace(".", "_"), one.label, show=False, id=one.id) for one in PANE_ACTIONS]


def rebound(chosen: Mapping[str, str]) -> tuple[Action, ...]:
    """All actions with a person's keys.

    Raises:
        WorkspaceError: an action that does not exist, or a key that two actions would share.
    """
    known = {one.id: one for one in (*PANE_ACTIONS, *ACTIONS)}
    for name in chosen:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else "the help screen (?) lists the actions"
            raise WorkspaceError(f"sensorloom.toml, [keys]: there is no action `{name}`; {hint}")
    actions = tuple(replace(one, keys=chosen.get(one.id, one.keys)) for one in known.values())
    _check_unique(actions)
    return actions


def _check_unique(actions: Iterable[Action]) -> None:
    taken: dict[str, str] = {}
    for one in actions:
        for key in one.keys.split(","):
            if not key.strip():
                raise WorkspaceError(f"sensorloom.toml, [keys]: `{one.id}` has no key")
            if key in taken:
                raise WorkspaceError(
                    f"sensorloom.toml, [keys]: `{key}` would be both `{taken[key]}` and `{one.id}`; choose another"
                )
            taken[key] = one.id
