"""The command that does what a key does, and why one has no other: `docs/keys.md` is made from it and from the table of
actions, and tests hold that every act on what is stored has both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tui.keys import PANE_ACTIONS, Action, ActionId, shown
from tui.local_keys import IN_CONVERSATION, LOCAL_ACTIONS
from tui.screens.actions import ACTIONS

COMMANDS: Mapping[ActionId, tuple[str, ...]] = {
    "thread.new": ("run --dataset NAME --session ID", "run --dataset NAME --count N"),
    "list.filter": ("list --filter TERMS",),
    "list.sort": ("list --sort ORDER",),
    "list.propose": ("goal show", "goal set", "goal clear", "goal propose --keep", "run --goal"),
    "list.saved": ("filters list", "filters save", "filters forget"),
    "list.similar": ("similar", "list --filter similar:THREAD"),
    "list.statistics": ("stats",),
    "list.failures": ("failures",),
    "verdict.accept": ("verdict accept",),
    "verdict.reject": ("verdict reject",),
    "verdict.skip": ("verdict skip",),
    "verdict.why": ("verdict reject --reason WORD --note TEXT",),
    "thread.tags": ("tag +TAG -TAG",),
    "thread.history": ("history --take-back STEP",),
    "thread.delete": ("delete",),
    "thread.trash": ("trash list", "trash restore"),
    "thread.open_file": ("show",),
    "export.now": ("export",),
    "export.choose": ("export --split SHARES --profile NAME",),
    "threads.migrate": ("migrate",),
    "threads.import": ("import-threads FILE",),
    "list.evaluations": ("evaluate --dataset NAME", "evaluate --resume"),
    "list.batches": ("batches list", "batches show NAME", "batches pause NAME", "batches resume NAME",
        "run --resume NAME", "batches stop NAME", "batches remove NAME", "batches restore NAME"),
    "data.open": ("datasets list", "datasets show", "datasets presets", "datasets import", "datasets get",
        "datasets check", "datasets mend", "datasets mark NAME RECORDING --from S --to S --label LABEL",
        "datasets cut NAME --length S"),
    "turn.run": ("sample --count 1 --take 1",),
    "turn.run_to_end": ("run",),
    "turn.sample": ("sample --count N",),
    "turn.teach": (
        "run --per-session N", "difficulty", "run --hint", "paraphrase", "faithfulness", "judge --rubric FILE",
    ),
    "turn.accept": ("sample --take N",),
    "turn.retry": ("sample --take 0",),
    "turn.discard": ("sample --take 0",),
    "turn.say": ("run --say TEXT", "run --whisper TEXT"),
    "turn.edit": ("edit --message N --text TEXT",),
    "turn.edit_external": ("edit --message N --from FILE",),
    "turn.settle": ("settle --rerun", "settle --accept", "settle --branch"),
    "turn.good": ("label good --turn N",),
    "turn.neutral": ("label neutral --turn N",),
    "turn.bad": ("label bad --turn N",),
    "turn.loss": ("loss out --turn N",),
    "turn.delete": ("delete --turn N",),
    "turn.insert": ("edit --message N --insert user --text TEXT",),
    "turn.move_up": ("edit --message N --move up",),
    "turn.move_down": ("edit --message N --move down",),
    "turn.split": ("edit --message N --split-calls",),
    "turn.join": ("edit --message N --join",),
    "turn.tree": ("tree",),
    "turn.branch": ("branch --at TURN",),
    "check.next": ("check",),
    "check.fix": ("check --fix",),
    "turn.replay": ("replay",),
    "turn.execute": ("edit --message N --execute",),
    "turn.undo": ("undo",),
    "turn.redo": ("redo",),
    "record.follow": ("record NAME",),
    "record.begin": ("record NAME --last",),
    "app.model": ("run --endpoint NAME --model NAME", "endpoints list", "endpoints forget NAME"),
}  # fmt: skip
"""By action, after `sensorloom`: what does the same, or what its dialog does; capitals stand for what one writes."""

KEYS_ALONE: Mapping[ActionId, str] = {
    "copy.choose": "copies what is on the screen; changes nothing",
    "list.mark": "marks are the screen's; a command takes ids or `--filter`",
    "list.mark_range": "as above",
    "list.mark_all": "as above",
    "list.unmark": "as above",
    "list.blind": "changes only what is shown",
    "list.similar_end": "changes only what is shown",
    "turn.stop": "ctrl-C stops a command",
    "turn.previous_sibling": "changes only what is shown",
    "turn.next_sibling": "changes only what is shown",
    "turn.compare": "changes only what is shown",
}
"""Actions on threads and turns that no command does, each with why."""

COMMANDS_ALONE: Mapping[str, str] = {
    "mcp": "serves the tools to an agent of somebody else, for as long as that runs",
    "cat": "writes threads as they are for other programs; changes nothing",
    "pack": "changes where threads are kept, not what they are; for folders of a hundred thousand",
    "prove": "runs a trainer's code in an environment of its own, beside the program",
    "publish": "writes a folder to be shared; changes nothing in the workspace",
    "questions": "lists the kinds of questions, which `c` in the dialog for a new thread asks; changes nothing",
    "tools": "shows what a model is offered; changes nothing",
    "unpack": "makes files again of what `pack` packed",
    "trust": "the program asks at its start, before there are keys",
}
"""Commands that no key does, each with why."""


def page() -> str:
    """`docs/keys.md`, whole."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Keys, and the commands that do the same"
    yield ""
    yield "`?` on the screen lists the keys; `[keys]` in `sensorloom.toml` rebinds one by its action's name."
    yield "Every act on what is stored has a key and a command. Capitals in a command stand for what one writes; the"
    yield "thread's id, or `--filter`, follows for the row under the cursor."
    yield "This page is made from the program's own tables, by `make keys`."
    every = (*PANE_ACTIONS, *IN_CONVERSATION, *ACTIONS, *LOCAL_ACTIONS)
    for group in dict.fromkeys(action.group for action in every):
        yield from ("", f"## {group}", "", "| key | does | command | action |", "|---|---|---|---|")
        for action in every:
            if action.group == group:
                yield f"| {_keys(action)} | {_cell(action.help)} | {_command(action)} | `{action.id}` |"
    yield from ("", "## Commands without a key", "", "| command | why |", "|---|---|")
    yield from (f"| `{name}` | {why} |" for name, why in COMMANDS_ALONE.items())
    yield ""


def _keys(action: Action) -> str:
    return " ".join(f"<kbd>{_cell(shown(key))}</kbd>" for key in action.keys.split(","))


def _command(action: Action) -> str:
    if commands := COMMANDS.get(action.id):
        return " · ".join(f"`{command}`" for command in commands)
    return KEYS_ALONE.get(action.id, "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")
