"""The keys that fields and dialogs have for themselves, declared once: the bindings, the help and what a dialog says of
its keys come from this table, and `[keys]` in `sensorloom.toml` rebinds them like those of the main screen.

Keys of the answers to a question (`Way`) and of tags are with the answers and the tags, and are shown beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from textual.binding import Binding
from textual.dom import DOMNode

from tui.keys import MOVING, PANE_ACTIONS, Keys, Local, Where
from tui.local_action import DIGITS, at
from tui.plot_keys import PLOT_KEYS

# fmt: off
IN_CONVERSATION = at(
    "conversation", MOVING,
    ("conversation.next_turn", "J", "next turn", "to the next turn", "move_turn(1)"),
    ("conversation.previous_turn", "K", "previous turn", "to the turn before", "move_turn(-1)"),
    ("conversation.unfold", "right", "unfold", "unfold the message", "unfold(True)"),
    ("conversation.fold", "left", "fold", "fold the message", "unfold(False)"),
    ("conversation.take", DIGITS, "this proposal", "take the proposal of this number", "take({})"),
)

LOCAL_ACTIONS = (
    *at("editor", "Editing a message",
        ("editor.save", "ctrl+t", "save", "save the edit", "save(False)"),
        ("editor.rerun", "ctrl+r", "save and re-run", "save it and re-run what rests on it", "save(True)"),
        ("editor.external", "ctrl+g", "$EDITOR", "go on in $EDITOR", "external"),
        ("editor.leave", "escape", "keep draft", "leave, keeping the draft", "leave")),
    # before the fields: keys that follow at once are then given to the field that has the focus by then
    *at("editor", "Editing a message",
        ("editor.next_field", "tab", "next", "to the next field", "field(1)"),
        ("editor.previous_field", "shift+tab", "previous", "to the field before", "field(-1)"), first=True),
    *at("tool_name", "Editing a message",
        ("tool_name.next", "down", "next tool", "in the name of a call: the next tool's", "other(1)"),
        ("tool_name.previous", "up", "previous tool", "in the name of a call: that of the tool before", "other(-1)")),
    *at("search_line", "Searching",
        ("search_line.enter", "enter", "to the hits", "from the line to the hits", "submit")),
    *at("filter_line", "Filtering",
        ("filter_line.enter", "enter", "back to the list", "from the line back to the list", "submit"),
        ("filter_line.complete", "tab", "complete", "complete the word at the cursor", "complete"),
        ("filter_line.earlier", "up", "earlier one", "a filter that was typed before", "earlier"),
        ("filter_line.later", "down", "earlier ones", "the one that was typed after that", "later"),
        ("filter_line.clear", "escape", "no filter", "take the filter away", "clear"),
        ("filter_line.fields", "f2", "every field", "choose one of all fields", "list_fields")),
    *at("choice", "Asked which way",
        ("choice.leave", "escape", "none of these, for now", "none of the ways", "dismiss(None)")),
    *at("text", "Asked for a text",
        ("text.take", "enter", "takes it", "take the text", "take"),
        ("text.new_line", "ctrl+j", "new line", "a new line in it", "new_line"),
        ("text.leave", "escape", "leaves", "leave, taking none", "dismiss(None)")),
    *at("say", "Saying something to the model",
        ("say.user", "enter", "as the user, kept", "say it as the user", "say(False)"),
        ("say.hint", "ctrl+t", "as a hint, kept nowhere", "say it as a hint", "say(True)"),
        ("say.new_line", "ctrl+j", "new line", "a new line in it", "new_line"),
        ("say.leave", "escape", "back", "say nothing", "dismiss(None)")),
    *at("words", "Reasons and tags",
        ("words.take", "enter", "takes it", "take what is chosen and typed", "take"),
        ("words.type", "tab", "types", "to the line, and back", "app.focus_next"),
        ("words.leave", "escape", "leaves", "leave, changing nothing", "dismiss(None)")),
    *at("steps", "History",
        ("steps.take", "enter", "take back this step alone", "take back the step under the cursor", "take"),
        ("steps.back", "escape,q,h", "back", "leave the history", "dismiss(None)")),
    *at("trash", "Trash",
        ("trash.take", "enter", "bring back", "bring back the thread under the cursor", "take"),
        ("trash.back", "escape,q,U", "back", "leave the trash", "dismiss")),
    *at("fields", "Fields of a filter",
        ("fields.take", "enter", "puts it into the line", "put the example into the line", "take"),
        ("fields.back", "escape,q,question_mark,f2", "back", "leave the fields", "dismiss(None)")),
    *at("tree", "Tree of a session",
        ("tree.go", "enter", "go to it", "go to the thread under the cursor", "go"),
        ("tree.fold", "left", "fold one", "fold the branches of the row", "fold(True)"),
        ("tree.unfold", "right", "fold", "show them", "fold(False)"),
        ("tree.fold_all", "less_than_sign", "fold every one", "fold every branch", "fold_all(True)"),
        ("tree.unfold_all", "greater_than_sign", "fold all", "show every branch", "fold_all(False)"),
        ("tree.back", "escape,q,backslash", "back", "leave the tree", "dismiss(None)")),
    *at("data", "Datasets",
        ("data.import", "i", "import", "import a dataset", "import_data"),
        ("data.show", "enter", "show", "what the dataset under the cursor holds", "show"),
        ("data.check", "c", "check", "check the dataset under the cursor", "check"),
        ("data.mend", "m", "mend", "mend it", "mend"),
        ("data.unmend", "u", "undo", "put it back as it was before the mend", "unmend"),
        ("data.mark", "r", "mark", "mark a recording that it keeps whole", "recordings(False)"),
        ("data.cut", "w", "cut", "cut windows of its recordings anew", "recordings(True)"),
        ("data.back", "escape,q,O", "back", "leave the datasets", "leave")),
    *at("overview", "Datasets",
        ("overview.back", "escape,q,enter", "back", "leave what a dataset holds", "dismiss(None)")),
    *at("path", "Asked for a path",
        ("path.take", "enter", "import", "take the folder or file under the cursor", "take")),
    *at("path", "Asked for a path",
        ("path.complete", "tab", "into it", "type what is under the cursor; a folder is then listed", "complete"),
        ("path.next", "down", "next", "to the next row", "step(1)"),
        ("path.previous", "up", "previous", "to the row before", "step(-1)"),
        ("path.page_down", "pagedown", "page down", "a page down", "page(1)"),
        ("path.page_up", "pageup", "page up", "a page up", "page(-1)"),
        ("path.back", "escape", "back", "take none", "dismiss(None)"), first=True),
    *at("listed", "A choice of many",
        ("listed.take", "enter", "take", "take what is under the cursor", "take"),
        ("listed.back", "escape,q", "back", "leave it as it is", "dismiss(None)")),
    *at("ticks", "Several of many",
        ("ticks.tick", "space", "tick", "tick what is under the cursor, or take the tick away", "tick"),
        ("ticks.take", "enter", "done", "take those that are ticked", "take"),
        ("ticks.back", "escape,q", "back", "leave it as it is", "dismiss(None)")),
    *at("own", "Recordings of your own",
        ("own.import", "enter", "import", "import it as it is shown", "import_it"),
        ("own.before", "h,left", "before", "the choice before", "change(-1)"),
        ("own.after", "l,right", "change", "the next choice", "change(1)"),
        ("own.change", "space,e", "all choices", "list what is possible, or type it", "choose"),
        ("own.other_part", "tab", "preview", "to the preview, or back", "other_part"),
        ("own.back", "escape,q", "back", "stop an import, or leave; nothing of it stays", "leave")),
    *at("sort", "Sorting",
        ("sort.take", "enter", "sort", "sort by the order under the cursor", "take(False)"),
        ("sort.turned", "r", "turned round", "sort by it, turned round", "take(True)"),
        ("sort.next", "o", "next", "to the next order", "next"),
        ("sort.back", "escape,q", "back", "leave the order as it is", "dismiss(None)")),
    *at("saved", "Saved filters",
        ("saved.take", "enter", "use", "use the filter under the cursor", "take"),
        ("saved.use", DIGITS, "a kept one", "use the kept filter of this number", "use({})"),
        ("saved.keep", "s", "keeps the present one", "keep the filter that is in force", "keep"),
        ("saved.forget", "delete", "forgets a kept one", "forget the filter under the cursor", "forget"),
        ("saved.back", "escape,q,f", "back", "leave the filters", "dismiss")),
    *at("model", "Model",
        ("model.take", "enter", "use", "use the model under the cursor", "take"),
        ("model.settings", "tab", "settings", "to the settings, one after the other", "app.focus_next"),
        ("model.forget", "ctrl+r", "forgets refusals", "ask for what the endpoint refused, once more", "forget"),
        ("model.back", "escape,q", "back", "leave the model as it is", "dismiss")),
    *at("welcome", "Without any data",
        ("welcome.import", "enter,i", "import", "import the demo", "import_demo"),
        ("welcome.own", "o", "own recordings", "import recordings of your own", "import_own"),
        ("welcome.leave", "escape,q", "look around", "look around first", "leave")),
    *at("differences", "Comparing",
        ("differences.next", "n,v", "next difference", "to the next difference", "difference(1)"),
        ("differences.previous", "N", "difference", "to the difference before", "difference(-1)"),
        ("differences.whole", "f", "same parts", "show what is the same whole, or a line of it", "whole")),
    *at("compare", "Comparing",
        ("compare.beside", DIGITS, "on the right", "put the one of this number on the right", "beside({})"),
        ("compare.back", "escape,q", "back", "leave the comparison", "app.pop_screen")),
    *at("compare", "Comparing",
        ("compare.swap", "tab", "swap", "swap the sides", "swap"), first=True),
    *PLOT_KEYS,
    *at("goal", "Goal",
        ("goal.queue", "enter", "judge", "list these threads until each is judged", "queue"),
        ("goal.set", "s", "goal", "set the goal", "goal"),
        ("goal.make", "m", "make", "make what is missing, or stop that", "make"),
        ("goal.export", "x", "export accepted", "export what was accepted", "export"),
        ("goal.copy", "y", "copy the command", "copy the commands that make what is missing", "copy"),
        ("goal.back", "escape,q,P", "back", "leave the goal", "dismiss(None)")),
    *at("board", "Statistics",
        ("board.take", "enter", "list these threads", "list the threads that the row stands for", "take"),
        ("board.count", "r", "count again", "count what the list shows by now", "count"),
        ("board.back", "escape,q,i", "back", "leave the board", "dismiss(None)")),
    *at("tables", "Statistics",
        ("tables.next", "tab", "next table", "to the next table", "table(1)"),
        ("tables.previous", "shift+tab", "previous table", "to the table before", "table(-1)")),
    *at("failures", "Failures",
        ("failures.take", "enter", "list these threads", "list the threads that the row stands for", "take"),
        ("failures.back", "escape,q,percent_sign", "back", "leave the failures", "dismiss(None)")),
    *at("evaluations", "Evaluations",
        ("evaluations.open", "enter", "figures", "the figures of the evaluation under the cursor", "open"),
        ("evaluations.new", "n", "new", "begin one: whose sessions, which models, how many tries", "begin"),
        ("evaluations.go_on", "r", "go on", "go on with what is missing of it", "go_on"),
        ("evaluations.stop", "s", "stop", "stop it; what is done is kept", "stop"),
        ("evaluations.back", "escape,q,M", "back", "leave; what is under way goes on", "dismiss(None)")),
    *at("batches", "Batches",
        ("batches.open", "enter", "threads", "list the threads of the batch under the cursor", "open"),
        ("batches.pause", "p", "pause", "begin no further turns of it; those being made are finished", "pause"),
        ("batches.go_on", "r", "go on", "go on with it, also where it was stopped or killed", "go_on"),
        ("batches.stop", "s", "stop", "stop it; what is done is kept", "stop"),
        ("batches.remove", "delete", "forget", "forget it; its threads stay", "remove"),
        ("batches.restore", "u", "undo", "bring back the one that was forgotten last", "restore"),
        ("batches.back", "escape,q,5", "back", "leave; what is under way goes on", "dismiss(None)")),
    *at("figures", "Evaluations",
        ("figures.open", "enter", "open", "the cell's threads; of a difference, both side by side", "open"),
        ("figures.left", "left,h", "left", "to the cell before", "cell(-1)"),
        ("figures.right", "right,l", "cell", "to the next cell of the row", "cell(1)"),
        ("figures.sides", "v", "beside", "the contestant and the next one, where they differ", "sides"),
        ("figures.go_on", "r", "go on", "go on with what is missing", "go_on"),
        ("figures.stop", "s", "stop", "stop it; what is done is kept", "stop"),
        ("figures.back", "escape,q", "back", "leave the figures", "dismiss(None)")),
    *at("sides", "Evaluations",
        ("sides.next", "J", "session", "to the next session at which the two differ", "session(1)"),
        ("sides.previous", "K", "previous session", "to the one before", "session(-1)")),
    *at("evaluate", "A new evaluation",
        ("evaluate.begin", "enter", "begin", "begin to ask", "begin"),
        ("evaluate.before", "h,left", "before", "the choice before", "change(-1)"),
        ("evaluate.after", "l,right", "change", "the next choice", "change(1)"),
        ("evaluate.change", "space,e", "all choices", "list what is possible, or type it", "choose"),
        ("evaluate.back", "escape,q", "back", "begin none", "dismiss(None)")),
    *at("report", "An export",
        ("report.stop", "s", "stops it", "stop the export", "stop"),
        ("report.copy", "c", "copies the path", "copy the path of the training file", "copy"),
        ("report.back", "escape,q,enter", "back", "leave it to go on, or its report", "dismiss")),
    *at("options", "Choosing an export",
        ("options.export", "enter", "export", "export what is chosen", "export"),
        ("options.before", "h,left", "before", "the value before", "change(-1)"),
        ("options.after", "l,right,space", "change", "the next value", "change(1)"),
        ("options.type", "e", "type", "type a value", "type"),
        ("options.wrong", "w", "wrong", "leave out wrong answers, or take them too", "wrong"),
        ("options.view", "v", "view", "another preview", "view"),
        ("options.next_thread", "t", "thread", "preview the next thread", "thread(1)"),
        ("options.previous_thread", "T", "thread before", "preview the thread before", "thread(-1)"),
        ("options.other_part", "tab", "preview", "to the preview, or back", "other_part"),
        ("options.back", "escape,q", "back", "export nothing", "dismiss(None)")),
    *at("begin", "A new thread",
        ("begin.start", "enter", "start", "make the thread", "start(False)"),
        ("begin.run", "R", "start and run", "make the thread and run it", "start(True)"),
        ("begin.draw", "x", "draw", "another session at random", "draw"),
        ("begin.several", "N", "several", "threads about several of the sessions shown, as a batch", "several"),
        ("begin.propose", "t", "other question", "let the model propose another question", "propose"),
        ("begin.write", "e", "write it", "write the question", "write"),
        ("begin.kind", "c", "kind", "another kind of question", "kind"),
        ("begin.evidence", "v", "evidence", "what the answer may rest on", "other('evidence')"),
        ("begin.form", "f", "form", "the form of the task", "other('form')"),
        ("begin.previous_dataset", "left,h", "previous dataset", "the dataset before", "dataset(-1)"),
        ("begin.next_dataset", "right,l", "dataset", "the next dataset", "dataset(1)"),
        ("begin.leave", "escape,q", "back", "make no thread", "leave")),
    *at("sessions", "A new thread",
        ("sessions.filter", "slash", "filter", "look for sessions by label, subject, length or use", "filter")),
    *at("session_field", "A new thread",
        ("session_field.take", "enter", "to the sessions", "from the filter to the sessions", "submit"),
        ("session_field.clear", "escape", "no filter", "take the filter away", "clear")),
    *at("question", "A new thread",
        ("question.start", "enter", "start", "in the question: make the thread", "screen.start(False)")),
    *at("question", "A new thread",
        ("question.leave", "escape", "to the sessions", "from the question to the sessions", "screen.leave_question"),
        first=True),
    *at("held", "Held out",
        ("held.toggle", "enter", "hold out, or take back", "hold the name out, or take it back", "hold")),
    *at("held", "Held out",
        ("held.previous", "up", "previous", "the name before", "step(-1)"),
        ("held.next", "down", "next", "the next name", "step(1)"),
        ("held.page_down", "pagedown", "page down", "a page down", "page(1)"),
        ("held.page_up", "pageup", "page up", "a page up", "page(-1)"),
        ("held.complete", "tab", "complete", "complete the name", "complete"),
        ("held.back", "escape", "back", "leave what is held out", "dismiss(None)"), first=True),
    *at("help", "Help",
        ("help.search", "slash", "search", "search the help", "search"),
        ("help.enter", "enter", "to what it finds", "from the line to what it finds; from there, back", "enter"),
        ("help.leave", "q,question_mark,f2", "leave", "leave the help", "dismiss")),
    *at("help", "Help",
        ("help.back", "escape", "back", "end the search, or leave", "back"), first=True),
)
# fmt: on

WITHOUT_MOVES: frozenset[Local] = frozenset(
    (
        "editor",
        "tool_name",
        "search_line",
        "session_field",
        "filter_line",
        "choice",
        "text",
        "say",
        "words",
        "welcome",
        "plot",
        "marks",
        "pick",
        "question",
        "held",
        "path",
    )
)
"""Where a pane's moves are no keys: letters are typed there, or it has moves of its own."""
AROUND: Mapping[Where, Where] = {"differences": "compare", "tables": "board", "marks": "plot", "sides": "compare"}
"""The dialog around a part of one: its keys are no others' there."""


def local_bindings(where: Local) -> list[Binding]:
    """The bindings of a field or a dialog."""
    bindings: list[Binding] = []
    for action in (*IN_CONVERSATION, *LOCAL_ACTIONS):
        if action.where != where:
            continue
        if action.is_digit:
            bindings += [Binding(key, action.act.format(key), show=False) for key in action.keys.split(",")]
        else:
            name = action.id
            bindings.append(Binding(action.keys, action.act, action.label, show=False, id=name, priority=action.first))
    return bindings


class _Keyed(Protocol):
    key_names: Keys


_DEFAULTS = Keys((*PANE_ACTIONS, *IN_CONVERSATION, *LOCAL_ACTIONS))


def keys_of(node: DOMNode) -> Keys:
    """The keys that act in the app a node belongs to, a person's own among them."""
    return cast("_Keyed", node.app).key_names if hasattr(node.app, "key_names") else _DEFAULTS
