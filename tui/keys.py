"""What an action is, how its keys are written and said, and the moves that every pane makes for itself.

Keys are plain characters in a pane, `ctrl` with a letter that SSH, tmux and flow control let through, or a
function key. Capital `A B C D F H` stay unused: a slow link splits an arrow key into `esc` and one of them.
What the app does is declared in `tui/screens/actions.py`, what a field or a dialog does by itself in
`tui/local_keys.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from textual.binding import Binding

from core.text import printable

# fmt: off
LocalId = Literal[
    "conversation.next_turn", "conversation.previous_turn", "conversation.unfold", "conversation.fold",
    "conversation.take", "editor.save", "editor.rerun", "editor.next_field", "editor.previous_field",
    "editor.external", "editor.leave", "tool_name.next", "tool_name.previous", "search_line.enter",
    "filter_line.enter", "filter_line.complete", "filter_line.earlier", "filter_line.later", "filter_line.clear",
    "filter_line.fields", "choice.leave", "text.take", "text.new_line", "text.leave",
    "say.user", "say.hint", "say.new_line", "say.leave", "words.take", "words.type",
    "words.leave", "steps.take", "steps.back", "trash.take", "trash.back", "fields.take", "fields.back", "sort.take",
    "sort.turned", "sort.next", "sort.back", "saved.take", "saved.keep", "saved.forget", "saved.use", "saved.back",
    "model.take", "model.settings", "model.forget", "model.back", "welcome.import", "welcome.own", "welcome.leave",
    "differences.next",
    "differences.previous", "differences.whole", "compare.swap", "compare.beside", "compare.back", "plot.earlier",
    "plot.later", "plot.closer", "plot.wider", "plot.whole", "plot.next_sensor", "plot.previous_sensor",
    "plot.switch", "plot.back", "plot.cursor_earlier", "plot.cursor_later", "plot.far_earlier", "plot.far_later",
    "plot.next_edge", "plot.previous_edge", "plot.call", "plot.together", "plot.scale", "plot.over", "plot.band",
    "plot.save", "plot.mark", "marks.start", "marks.end", "marks.label", "marks.pick", "marks.clear", "marks.undo",
    "marks.redo", "marks.snap", "pick.take", "pick.next", "pick.previous", "pick.leave", "data.mark", "data.cut",
    "goal.queue", "goal.set", "goal.make", "goal.export", "goal.copy", "goal.back",
    "tree.go", "tree.fold", "tree.unfold", "tree.fold_all", "tree.unfold_all", "tree.back", "data.import", "data.check",
    "data.show", "overview.back", "sessions.filter", "session_field.take", "session_field.clear",
    "data.mend", "data.unmend", "data.back", "failures.take", "failures.back", "board.take", "board.count",
    "tables.next", "tables.previous", "board.back", "report.stop", "report.copy", "report.back",
    "options.export", "options.before", "options.after", "options.type", "options.wrong", "options.view",
    "options.next_thread", "options.previous_thread", "options.other_part", "options.back", "begin.start",
    "begin.run", "begin.draw", "begin.several", "begin.propose", "begin.write", "begin.kind", "begin.evidence",
    "begin.form", "begin.previous_dataset",
    "begin.next_dataset", "begin.leave", "question.start", "question.leave", "held.toggle", "held.next",
    "held.previous", "held.page_down", "held.page_up", "held.complete", "held.back", "help.search", "help.enter",
    "path.take", "path.complete", "path.next", "path.previous", "path.page_down", "path.page_up", "path.back",
    "listed.take", "listed.back", "ticks.tick", "ticks.take", "ticks.back", "own.import", "own.before", "own.after",
    "own.change", "own.other_part", "own.back",
    "help.leave", "help.back", "evaluations.open", "evaluations.new", "evaluations.go_on", "evaluations.stop",
    "evaluations.back", "figures.open", "figures.left", "figures.right", "figures.sides", "figures.go_on",
    "figures.stop", "figures.back", "sides.next", "sides.previous", "evaluate.begin", "evaluate.before",
    "evaluate.after", "evaluate.change", "evaluate.back",
    "batches.open", "batches.pause", "batches.go_on", "batches.stop", "batches.remove", "batches.restore",
    "batches.back",
]
"""What `sensorloom.toml` and the code call what a field or a dialog does: where, and what."""

ActionId = Literal[
    "pane.enter", "turn.next_call", "turn.previous_call", "turn.unfold_all", "turn.fold_all",
    "search.begin", "search.next", "search.previous", "search.end", "copy.choose", "thread.open_file",
    "move.down", "move.up", "move.first", "move.last", "move.page_down", "move.page_up", "pane.next", "pane.previous",
    "pane.threads", "pane.conversation", "pane.sensors", "thread.new", "list.filter", "list.sort",
    "list.propose", "list.saved", "list.similar", "list.similar_end",
    "list.mark", "list.mark_range", "list.mark_all", "list.unmark", "list.blind", "list.statistics", "list.failures",
    "verdict.accept", "verdict.reject", "verdict.skip", "verdict.why", "thread.tags", "thread.history", "thread.delete",
    "thread.trash", "export.now", "export.choose", "threads.migrate", "threads.import", "turn.run", "turn.run_to_end",
    "turn.sample",
    "turn.teach", "turn.accept", "turn.retry", "turn.discard", "turn.stop", "turn.say", "turn.edit",
    "turn.edit_external", "turn.settle", "turn.good", "turn.neutral", "turn.bad", "turn.loss", "turn.delete",
    "turn.insert", "turn.move_up", "turn.move_down", "turn.split", "turn.join", "turn.branch", "turn.previous_sibling",
    "turn.next_sibling", "turn.tree", "turn.compare", "check.next", "check.fix", "turn.replay", "turn.execute",
    "turn.undo", "turn.redo", "sensor.plot", "sensor.play", "sensor.scale", "app.model", "app.colours",
    "app.palette", "app.help", "app.suspend",
    "app.quit",
    "data.open",
    "list.evaluations",
    "list.batches",
    "record.follow",
    "record.begin",
    LocalId,
]
# fmt: on
"""What `sensorloom.toml` and the code call an action."""

Local = Literal[
    "conversation", "editor", "tool_name", "search_line", "filter_line", "choice", "text", "say", "words", "steps",
    "trash", "fields", "tree", "data", "overview", "sessions", "session_field", "sort", "saved", "model", "welcome",
    "compare", "differences", "plot", "marks", "pick", "goal", "board", "tables", "failures", "report", "options",
    "begin", "question", "held", "help", "path", "listed", "ticks", "own",
    "evaluations", "figures", "sides", "evaluate", "batches",
]  # fmt: skip
"""A field or a dialog with keys of its own."""
Where = Literal["", "row", "hits", "similar", "lanes", "live", Local]
"""Everywhere; on a row of the list, with nothing proposed; in the conversation, while a search is on; in the
list, while it shows threads similar to one; in the sensors, with nothing proposed; there, while they follow a
recording; or in a part with its own keys."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does."""

    id: ActionId
    keys: str
    """Textual's names of its keys, separated by commas; the first is the one that is shown."""
    label: str
    """One or two words for the key bar."""
    help: str
    """A line for the help screen and the palette."""
    group: str
    """The help screen's heading."""
    bar: Mapping[str, int] = field(default_factory=dict[str, int], kw_only=True)
    """The situations in which the key bar offers it, each with its rank there: a narrow bar cuts the last ones off."""
    where: Where = field(default="", kw_only=True)
    """Where alone its key is its own: there it goes before an action that has the same key everywhere else."""
    words: str = field(default="", kw_only=True)
    """Further words for it that the screen uses, and under which the palette finds it."""


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

Hint = ActionId | tuple[ActionId, ...]
"""An action with its key; several share the label of the last."""

TYPING_KEYS: Mapping[str, tuple[Hint, ...]] = {
    "editor": ("editor.save", "editor.rerun", "editor.next_field", "editor.external", "editor.leave"),
    "search": ("search_line.enter", "search.end"),
    "filter": (
        "filter_line.enter",
        "filter_line.complete",
        ("filter_line.earlier", "filter_line.later"),
        "filter_line.clear",
        "filter_line.fields",
    ),
}
"""What the key bar offers where text is typed, and letters are no keys."""

_SHOWN = {
    "slash": "/", "exclamation_mark": "!", "question_mark": "?", "left_square_bracket": "[",
    "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}", "less_than_sign": "<",
    "greater_than_sign": ">", "escape": "esc",
    "plus": "+", "minus": "-", "equals_sign": "=", "number_sign": "#", "comma": ",",
    "asterisk": "*", "left_parenthesis": "(", "right_parenthesis": ")", "vertical_line": "|", "ampersand": "&",
    "tilde": "~", "percent_sign": "%", "backslash": "\\", "quotation_mark": '"',
    "backspace": "⌫", "delete": "del", "space": "space", "pagedown": "pgdn", "pageup": "pgup",
    "down": "↓", "up": "↑", "left": "←", "right": "→",
}  # fmt: skip


def shown(key: str) -> str:
    """A key as a person reads it: `/` for `slash`."""
    return _SHOWN.get(key, printable(key))


def shown_key(action: Action) -> str:
    """The first key of an action, as a person reads it."""
    return shown(action.keys.split(",")[0])


def shown_keys(action: Action) -> str:
    """All keys of an action, for the help screen."""
    return " ".join(shown(key) for key in action.keys.split(","))


class Keys:
    """The keys of all actions as a person reads them, for sentences that name one: `keys["turn.undo"]`."""

    def __init__(self, actions: Iterable[Action] = ()) -> None:
        self._actions: dict[ActionId, Action] = {action.id: action for action in actions}

    def __getitem__(self, name: ActionId) -> str:
        """An action's first key; its id where it is not known which keys act."""
        action = self._actions.get(name)
        return name if action is None else shown_key(action)

    def is_key_of(self, name: ActionId, key: str) -> bool:
        """Whether a key, by Textual's name of it, is an action's."""
        action = self._actions.get(name)
        return action is not None and key in action.keys.split(",")

    def pair(self, hint: Hint) -> tuple[str, str]:
        """Key and label; of several actions their keys, and the label of the last."""
        names = hint if isinstance(hint, tuple) else (hint,)
        action = self._actions.get(names[-1])
        return " ".join(self[name] for name in names), "" if action is None else action.label

    def hints(self, *hints: Hint, in_words: bool = False) -> str:
        """What a dialog says of its keys: `⏎ sort · o next · esc back`; `in_words` is `enter` spelt out."""
        return " · ".join(" ".join(self.pair(hint) if in_words else self.brief(hint)) for hint in hints)

    def brief(self, hint: Hint) -> tuple[str, str]:
        """Key and label in the fewest columns."""
        key, label = self.pair(hint)
        return "⏎" if key == "enter" else key, label


NO_KEYS = Keys()


def offered(actions: Iterable[Action], situation: str) -> list[Action]:
    """What the key bar offers in a situation, the most wanted first."""
    return sorted((action for action in actions if situation in action.bar), key=lambda action: action.bar[situation])


def bindings(actions: Iterable[Action]) -> list[Binding]:
    """The screen's bindings; every one ends in `action_do` with the action's id. Those of a place come first."""
    in_order = sorted(actions, key=lambda action: not action.where)
    return [Binding(action.keys, f"do('{action.id}')", action.label, show=False, id=action.id) for action in in_order]


def pane_bindings() -> list[Binding]:
    """A pane's moves: `action_move_down`, `action_move_up`, `action_move_first` and so on are the pane's own."""
    return [
        Binding(action.keys, action.id.replace(".", "_"), action.label, show=False, id=action.id)
        for action in PANE_ACTIONS
    ]
