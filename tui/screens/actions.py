"""Every action of the app, declared once: its id, keys, words, when it applies and what carries it out.

The bindings, the key bar, the help screen and the palette come from this table. `[keys]` in `sensorloom.toml` rebinds
an action by its id. Moves that a pane makes for itself are in `tui/keys.py`, the keys of fields and dialogs in
`tui/local_keys.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from core.workspace import holds_evaluations
from tui.keys import MOVING, PROGRAM, SENSORS, THREADS, TURNS, Action, Keys
from tui.screens.reading_alone import refused

if TYPE_CHECKING:
    from tui.open_thread.thread_work import ThreadWork
    from tui.screens.parts import Parts

Need = Literal["nothing", "row", "thread", "idle", "decided", "proposal", "stale", "session"]
"""What must be so for an action to apply: a thread under the cursor; an open thread, and that nothing runs in it, that
no proposal waits besides, that one does, or that something is stale; sensors on the screen."""


@dataclass(frozen=True, slots=True)
class AppAction(Action):
    """An action that the main screen carries out, whichever pane has the focus."""

    function: Callable[[Parts], Callable[[], object]]
    """Picks what carries it out."""
    needs: Need = field(default="nothing", kw_only=True)


_READING = "that is still being read: nothing was done; press it again once it is there"

# fmt: off
ACTIONS = (
    AppAction("pane.next", "tab", "next pane", "to the next pane", MOVING,
        lambda parts: parts.frame.next_pane, bar={"running": 2, "sensors": 4}),
    AppAction("pane.previous", "shift+tab", "previous pane", "to the previous pane", MOVING,
        lambda parts: parts.frame.previous_pane),
    AppAction("pane.threads", "1", "threads", "to the threads", MOVING,
        lambda parts: partial(parts.frame.focus_pane, "threads")),
    AppAction("pane.conversation", "2", "conversation", "to the conversation", MOVING,
        lambda parts: partial(parts.frame.focus_pane, "conversation")),
    AppAction("pane.sensors", "3", "sensors", "to the sensors", MOVING,
        lambda parts: partial(parts.frame.focus_pane, "sensors")),
    AppAction("pane.enter", "enter", "read", "from a row of the list into its thread", MOVING,
        lambda parts: parts.enter, where="row", words="open go"),
    AppAction("search.begin", "slash", "search", "search the conversation; a hit in what is folded unfolds it",
        MOVING, lambda parts: parts.searching.begin, needs="thread", where="conversation", bar={"conversation": 12},
        words="find"),
    AppAction("search.next", "n", "next hit", "to the next hit of the search", MOVING,
        lambda parts: partial(parts.searching.step, 1), needs="thread", where="hits", bar={"hits": 1}),
    AppAction("search.previous", "N", "previous hit", "to the hit before", MOVING,
        lambda parts: partial(parts.searching.step, -1), needs="thread", where="hits", bar={"hits": 2}),
    AppAction("search.end", "escape", "end search", "end the search; `n` makes a new thread again", MOVING,
        lambda parts: parts.searching.end, where="hits", bar={"hits": 3}, words="stop"),
    AppAction("turn.next_call", "right_curly_bracket", "next call", "to the next tool call's result", MOVING,
        lambda parts: partial(parts.thread.conversation.action_move_call, 1), needs="thread", bar={"hits": 4}),
    AppAction("turn.previous_call", "left_curly_bracket", "previous call", "to the result of the call before", MOVING,
        lambda parts: partial(parts.thread.conversation.action_move_call, -1), needs="thread"),
    AppAction("turn.unfold_all", "greater_than_sign", "unfold all", "unfold everything, of long results the beginning",
        MOVING, lambda parts: partial(parts.thread.conversation.action_unfold_all, True), needs="thread",
        bar={"hits": 5}, words="expand"),
    AppAction("turn.fold_all", "less_than_sign", "fold all", "fold every message", MOVING,
        lambda parts: partial(parts.thread.conversation.action_unfold_all, False), needs="thread", bar={"hits": 6},
        words="collapse"),
    AppAction("copy.choose", "Y", "copy", "copy the message, its call or result, or the thread's id, path or link",
        THREADS, lambda parts: parts.copying.choose, needs="thread", bar={"conversation": 13, "hits": 7},
        words="yank clipboard take along arguments"),
    AppAction("thread.open_file", "ctrl+g", "open file", "open the thread's file in $EDITOR", THREADS,
        lambda parts: parts.copying.open_file, needs="thread", words="editor json"),
    AppAction("thread.new", "n", "new", "make a new thread: dataset, session and question", THREADS,
        lambda parts: parts.dialogs.new_thread, bar={"threads": 1, "conversation": 14, "running": 3}),
    AppAction("list.filter", "slash", "filter", "show only threads that match; empty shows all", THREADS,
        lambda parts: parts.filter_line.begin, bar={"threads": 4, "running": 4}),
    AppAction("list.sort", "o", "sort", "sort by anything a row can show, either way round", THREADS,
        lambda parts: parts.list_screens.choose_sort, bar={"threads": 9}),
    AppAction("list.saved", "f", "filters", "use, keep or delete a saved filter", THREADS,
        lambda parts: parts.dialogs.saved_filters, bar={"threads": 12}, words="saved"),
    AppAction("list.similar", "tilde", "similar", "threads like this one: tools, wording, sensors; the nearest first",
        THREADS, lambda parts: parts.similar.begin, needs="row", words="alike near kind failure"),
    AppAction("list.similar_end", "escape", "all threads", "no longer only threads that are like one", THREADS,
        lambda parts: parts.similar.end, where="similar", words="similar"),
    AppAction("list.propose", "P", "propose",
        "the goal: how far it is, what to judge for it, making the rest", THREADS,
        lambda parts: partial(parts.list_screens.propose, blind=parts.thread.conversation.look.blind),
        bar={"threads": 18}, words="goal balance queue next"),
    AppAction("list.mark", "m", "mark", "mark for verdicts and deletion of several at once", THREADS,
        lambda parts: parts.arranging.mark, needs="row", bar={"threads": 8}, words="several"),
    AppAction("list.mark_range", "comma", "mark to here", "mark all from the last marked one to the cursor", THREADS,
        lambda parts: partial(parts.arranging.mark, "range"), needs="row", words="range several"),
    AppAction("list.mark_all", "asterisk", "mark all", "mark all that the list shows, or none of them", THREADS,
        lambda parts: partial(parts.arranging.mark, "all"), needs="row", words="several every shown"),
    AppAction("list.unmark", "Z", "unmark all", "take all marks away", THREADS,
        lambda parts: parts.arranging.unmark),
    AppAction("list.blind", "w", "blind", "hide the truth until a thread has its verdict, or show it", THREADS,
        lambda parts: parts.thread.conversation.action_blind, words="label truth"),
    AppAction("list.statistics", "i", "statistics", "the statistics board: balance, wrong answers, turns, tools",
        THREADS, lambda parts: partial(parts.list_screens.statistics, blind=parts.thread.conversation.look.blind),
        bar={"threads": 13}),
    AppAction("list.failures", "percent_sign", "failures", "failed threads, by confusion, tools and first wrong step",
        THREADS, lambda parts: partial(parts.list_screens.failures, blind=parts.thread.conversation.look.blind),
        words="wrong kinds groups"),
    AppAction("verdict.accept", "a", "good", "verdict: accept, and go to the next", THREADS,
        lambda parts: partial(parts.judging.judge, "accept"), needs="row",
        bar={"threads": 5, "conversation": 7, "stale": 7}, words="accepted ▲ judge"),
    AppAction("verdict.reject", "d", "bad", "verdict: reject, and go to the next", THREADS,
        lambda parts: partial(parts.judging.judge, "reject"), needs="row",
        bar={"threads": 6, "conversation": 8, "stale": 8}, words="rejected ▼ judge"),
    AppAction("verdict.skip", "z", "skip", "verdict: skip, and go to the next", THREADS,
        lambda parts: partial(parts.judging.judge, "skip"), needs="row", bar={"threads": 7}, words="skipped ▷ judge"),
    AppAction("verdict.why", "W", "why", "reasons and a note for the verdict; one that has none is rejected", THREADS,
        lambda parts: parts.judging.say_why, needs="row",
        bar={"threads": 15, "conversation": 19}, words="reason note comment reject"),
    AppAction("thread.tags", "number_sign", "tags", "set and take away tags, a key each", THREADS,
        lambda parts: parts.judging.tag, needs="row", bar={"threads": 16, "conversation": 20}),
    AppAction("thread.history", "h", "history", "what was done, by whom; take back any one step", THREADS,
        lambda parts: parts.undoing.history, bar={"threads": 17, "conversation": 18}, words="steps undo take back who"),
    AppAction("thread.delete", "delete", "delete", "move to the trash; undo brings it back", THREADS,
        lambda parts: parts.judging.delete, needs="row", words="trash remove"),
    AppAction("thread.trash", "U", "trash", "the trash: bring a deleted thread back", THREADS,
        lambda parts: parts.dialogs.trash, words="restore"),
    AppAction("export.now", "x", "export", "export the finished threads that the filter shows", THREADS,
        lambda parts: parts.exports.now, bar={"threads": 10, "conversation": 21}),
    AppAction("export.choose", "X", "export …", "choose what is exported, in which form, and see it before", THREADS,
        lambda parts: parts.dialogs.choose_export),
    AppAction("list.evaluations", "M", "evaluations", "how good models are: evaluate them, stop and go on, compare",
        THREADS, lambda parts: parts.list_screens.evaluations, bar={"threads": 19},
        words="evaluate models accuracy confusion calibration better"),
    AppAction("list.batches", "5", "batches", "batches of new threads: how far each is; pause, go on, stop", THREADS,
        lambda parts: parts.list_screens.batches, bar={"threads": 20}, words="batch runs progress jobs queue"),
    AppAction("data.open", "O", "data", "the datasets: import one, check it, mend it", THREADS,
        lambda parts: parts.dialogs.data, words="import dataset sessions recordings"),
    AppAction("threads.migrate", "V", "convert v3", "convert older v3 threads; the originals are kept", THREADS,
        lambda parts: parts.dialogs.ask_migration, words="migrate older"),
    AppAction("threads.import", "Q", "bring in", "make threads of training rows and logs of others", THREADS,
        lambda parts: parts.dialogs.ask_rows, words="import rows jsonl file sharegpt"),
    AppAction("turn.run", "r", "run", "ask the model for the next turn, as a proposal", TURNS,
        lambda parts: parts.running.run, needs="decided",
        bar={"threads": 2, "conversation": 1, "stale": 5, "sensors": 5}),
    AppAction("turn.run_to_end", "R", "run to end", "run to the final answer, accepting each turn", TURNS,
        lambda parts: parts.running.run_to_end, needs="idle",
        bar={"threads": 3, "conversation": 2, "proposal": 6, "sensors": 6}),
    AppAction("turn.sample", "s", "sample", "propose several turns at this point, to choose from", TURNS,
        lambda parts: parts.running.sample, needs="decided", bar={"conversation": 5}),
    AppAction("turn.teach", "L", "with model", "ask the model for several answers, other words, a score …",
        TURNS, lambda parts: parts.teaching.ask, needs="decided", words="lesson rejection sampling difficulty pass"),
    AppAction("turn.accept", "y,enter", "accept", "take the proposed turn into the thread", TURNS,
        lambda parts: parts.proposals.accept, needs="idle", bar={"proposal": 1}, words="take proposal"),
    AppAction("turn.retry", "t", "retry", "propose again; the rejected one is kept in alternatives", TURNS,
        lambda parts: parts.proposals.retry, needs="proposal", bar={"proposal": 2}, words="another other again"),
    AppAction("turn.discard", "backspace", "discard", "turn the proposal down; the alternatives keep it", TURNS,
        lambda parts: parts.proposals.discard, needs="proposal",
        bar={"proposal": 3}, words="put aside reject alternatives"),
    AppAction("turn.stop", "escape", "stop", "stop what is running; what came is kept as a proposal", TURNS,
        lambda parts: parts.running.stop, bar={"running": 1}, words="running cancel"),
    AppAction("turn.say", "quotation_mark", "say", "say something to the model in the middle of a run, or hint at it",
        TURNS, lambda parts: parts.steering.say, bar={"running": 5}, words="steer message user whisper talk"),
    AppAction("turn.edit", "e", "edit", "edit the message in place", TURNS,
        lambda parts: parts.edits.edit, needs="idle", bar={"conversation": 3, "proposal": 4, "stale": 2}),
    AppAction("turn.edit_external", "E", "editor", "edit the message in $EDITOR", TURNS,
        lambda parts: parts.edits.edit_external, needs="idle", words="$EDITOR"),
    AppAction("turn.settle", "S", "stale …", "decide on stale turns: re-run, accept as they are, or to a branch", TURNS,
        lambda parts: parts.stale.ask, needs="stale", bar={"stale": 1}, words="settle re-run rest"),
    AppAction("turn.good", "plus", "good turn", "label this turn good, and go to the next", TURNS,
        lambda parts: partial(parts.turns.label, "good"), needs="idle", bar={"conversation": 16}, words="label step"),
    AppAction("turn.neutral", "equals_sign", "neutral turn", "label this turn neutral, and go to the next", TURNS,
        lambda parts: partial(parts.turns.label, "neutral"), needs="idle", words="label step"),
    AppAction("turn.bad", "minus", "bad turn", "label this turn bad: the first error marks the rest", TURNS,
        lambda parts: partial(parts.turns.label, "bad"), needs="idle", bar={"conversation": 17}, words="label step"),
    AppAction("turn.loss", "l", "loss", "keep this turn in or out of the training loss", TURNS,
        lambda parts: parts.turns.toggle_loss, needs="idle", bar={"conversation": 10, "stale": 9}, words="train"),
    AppAction("turn.delete", "T", "take out", "take this turn out; undo brings it back, alternatives keep it", TURNS,
        lambda parts: parts.turns.delete, needs="decided", words="delete remove"),
    AppAction("turn.insert", "I", "put in", "put in a message after this turn: the user's, or the assistant's", TURNS,
        lambda parts: parts.structuring.insert, needs="decided", words="insert add new turn"),
    AppAction("turn.move_up", "left_parenthesis", "move up", "move this turn one place up", TURNS,
        lambda parts: partial(parts.structuring.move, -1), needs="decided", words="order before"),
    AppAction("turn.move_down", "right_parenthesis", "move down", "move this turn one place down", TURNS,
        lambda parts: partial(parts.structuring.move, 1), needs="decided", words="order after"),
    AppAction("turn.split", "vertical_line", "split calls", "give each parallel call a turn of its own", TURNS,
        lambda parts: parts.structuring.split, needs="decided", words="part parallel"),
    AppAction("turn.join", "ampersand", "join", "join this turn with the next", TURNS,
        lambda parts: parts.structuring.join, needs="decided", words="merge together"),
    AppAction("turn.branch", "b", "branch", "copy the thread up to this turn into a new one", TURNS,
        lambda parts: parts.branches.branch, needs="thread", bar={"conversation": 4, "stale": 4}, words="fork sibling"),
    AppAction("turn.previous_sibling", "left_square_bracket", "◂ branch", "to the previous branch", TURNS,
        lambda parts: parts.branches.previous, needs="thread", words="sibling"),
    AppAction("turn.next_sibling", "right_square_bracket", "branch ▸", "to the next branch", TURNS,
        lambda parts: parts.branches.next, needs="thread", words="sibling"),
    AppAction("turn.tree", "backslash", "tree", "all threads about this session as a tree, to go to one", TURNS,
        lambda parts: partial(parts.list_screens.tree, blind=parts.thread.conversation.look.blind), needs="row",
        words="branches family parent children"),
    AppAction("turn.compare", "v", "compare", "two threads, or a proposal and its alternatives, side by side", TURNS,
        lambda parts: parts.comparing.compare, needs="thread",
        bar={"conversation": 11, "proposal": 7, "stale": 6}, words="difference diff side"),
    AppAction("check.next", "exclamation_mark", "findings", "to the next thing the checks find in this thread", TURNS,
        lambda parts: parts.findings.next, needs="thread", bar={"conversation": 9}, words="checks lint finding"),
    AppAction("check.fix", "ctrl+f", "fix", "put right what the checks find, where that needs no decision", TURNS,
        lambda parts: parts.findings.fix, needs="idle"),
    AppAction("turn.replay", "c", "replay", "execute the stored calls again and compare", TURNS,
        lambda parts: parts.turns.replay, needs="thread"),
    AppAction("turn.execute", "ctrl+e", "execute", "execute this turn's calls anew; what differs is taken in", TURNS,
        lambda parts: parts.turns.execute, needs="decided", words="re-run call"),
    AppAction("turn.undo", "u", "undo", "undo the open thread's last step, or the list's, by where the keys go", TURNS,
        lambda parts: parts.undoing.undo, bar={"threads": 11, "conversation": 6, "stale": 3}, words="take back"),
    AppAction("turn.redo", "ctrl+r", "redo", "redo what was undone", TURNS,
        lambda parts: parts.undoing.redo),
    AppAction("sensor.plot", "p", "plot", "the channels on the full screen: pan and zoom", SENSORS,
        lambda parts: parts.dialogs.plot, needs="session", bar={"sensors": 1}),
    AppAction("sensor.play", "space", "play", "play the session in real time", SENSORS,
        lambda parts: parts.thread.sensors.toggle_play, needs="session", bar={"sensors": 2}, words="real time"),
    AppAction("sensor.scale", "y", "scale", "one scale for all lanes of a unit, or one for each sensor", SENSORS,
        lambda parts: parts.thread.sensors.toggle_scale, needs="session", where="lanes", bar={"sensors": 3},
        words="unit lanes compare"),
    AppAction("record.follow", "4", "live", "the sensor as it is now: a recording under way; again: the session",
        SENSORS, lambda parts: parts.live.follow, bar={"sensors": 7, "live": 2}, words="record follow now stream"),
    AppAction("record.begin", "n", "ask about it", "make a thread about the last seconds of the recording", SENSORS,
        lambda parts: parts.live.begin, where="live", bar={"live": 1}, words="record live window"),
    AppAction("app.model", "ctrl+o", "model", "choose endpoint and model, and how to sample", PROGRAM,
        lambda parts: parts.dialogs.model, bar={"threads": 14}, words="endpoint temperature seed"),
    AppAction("app.colours", "f3", "colours", "other colours: on dark, on light, the terminal's sixteen", PROGRAM,
        lambda parts: parts.frame.app.action_change_theme, words="theme light dark"),
    AppAction("app.palette", "ctrl+p", "palette", "find any action by name", PROGRAM,
        lambda parts: parts.dialogs.palette),
    AppAction("app.help", "question_mark,f2", "help", "all keys, and what signs and words mean; / searches it", PROGRAM,
        lambda parts: parts.dialogs.help),
    AppAction("app.suspend", "ctrl+z", "suspend", "to the shell; `fg` there comes back", PROGRAM,
        lambda parts: parts.frame.app.action_suspend_process, words="background"),
    AppAction("app.quit", "q", "quit", "stop what is running, save, and leave", PROGRAM,
        lambda parts: parts.exports.quit, words="leave end exit"),
)
# fmt: on


def refusal(action: AppAction, parts: Parts, key: Keys) -> str:
    """Why an action does not apply now, and the way out with its key; empty when it does."""
    work = parts.thread.work
    if holds_evaluations(parts.workspace) and (why := refused(action.id)):
        return why
    match action.needs:
        case "nothing":
            return ""
        case "row" if parts.arranging.current is not None:
            return ""
        case "row":
            return "there is no thread in the list to do that to" if parts.folder.scanned else _READING
        case "session" if parts.thread.sensors.view is not None:
            return ""
        case "session" if work is not None:
            return _READING if parts.thread.sensors.reading else "there is no session to show here"
        case needs if work is not None:
            return _not_now(needs, work, key)
        case _ if _is_opening(parts):
            return _READING
        case _:
            return f"no thread is open: {key['pane.threads']} goes to the list, {key['thread.new']} makes one"


def _is_opening(parts: Parts) -> bool:
    """Whether the thread under the cursor, or the list itself, is still being read."""
    current = parts.arranging.current
    if current is None:
        return not parts.folder.scanned
    return parts.reader.wanted == current.stem and parts.reader.reading


def _not_now(needs: Need, work: ThreadWork, key: Keys) -> str:
    """Why an action does not apply to the open thread as it is."""
    if needs == "thread":
        return ""
    if work.busy:
        return f"this thread is running; {key['turn.stop']} stops it"
    if needs == "proposal" and not work.slots:
        return f"nothing is proposed here; {key['turn.run']} asks the model for a turn"
    if needs == "decided" and work.slots:
        ways = f"{key['turn.accept']} accepts it, {key['turn.retry']} retries, {key['turn.discard']} discards"
        return f"decide on the proposal first: {ways}"
    if needs == "stale":
        from core.thread.stale import stale_messages

        return "" if stale_messages(work.stored.thread) else "nothing in this thread is stale"
    return ""
