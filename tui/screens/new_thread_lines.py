"""What stands around the sessions in the dialog that begins a thread: the dataset, the evidence, the keys."""

from __future__ import annotations

from textual.content import Content

from core.text import counted, one_line
from core.thread.evidence import Wanted
from core.thread.form import NONE, USUAL, TaskForm
from tui.keys import Hint, Keys
from tui.screens.datasets_to_ask import Opened

_DATASETS: Hint = ("begin.previous_dataset", "begin.next_dataset")


def dataset_line(event: Opened, keys: Keys) -> Content:
    """Which dataset is open, of how many, and how much is in it."""
    at = list(event.names).index(event.name) + 1
    which = f"  {at}/{len(event.names)} {keys.pair(_DATASETS)[0]}" if len(event.names) > 1 else ""
    dataset = event.dataset
    if dataset is None:
        return Content(one_line(f"{event.name}{which}"))
    facts = " · ".join((
        counted(len(dataset.sessions), "session"), counted(len(set(dataset.subjects.values())), "subject"),
        f"{len(dataset.activities)} activities" if len(dataset.activities) != 1 else "1 activity",
        *(["synthetic"] if dataset.synthetic else []),
    ))  # fmt: skip
    return Content.assemble((one_line(event.name, 40), "bold"), f"{which}   ", (facts, "dim"))


def evidence_line(evidence: Wanted) -> Content:
    """What the answer may rest on."""
    about = {
        "reference": "comparisons that rank the labels", "measure": "measurements alone, nothing ranks labels",
        "mix": "half of the sessions by reference, half measured",
    }  # fmt: skip
    return Content.assemble(("evidence  ", "bold"), (f"{evidence}: {about[evidence]}", "dim"))


def form_line(form: TaskForm) -> Content:
    """What the model is shown of the task."""
    tools = "few tools" if form.tools else "all tools"
    sizes = {"schemas": form.schemas, "manifest": form.manifest, "results": form.results}
    short = [name for name, size in sizes.items() if size == "short"]
    system = {USUAL: "the usual prompt", NONE: "no prompt"}.get(form.system, f"prompt {form.system}")
    examples = ["after examples"] if form.few_shot else []
    about = ", ".join([tools, *([f"short {'/'.join(short)}"] if short else []), system, *examples])
    return Content.assemble(("form      ", "bold"), (one_line(f"{form.name}: {about}"), "dim"))


def key_lines(keys: Keys) -> Content:
    """The dialog's keys, on two lines."""
    moves = keys.pair(("move.down", "move.up"))[0]
    first = (*map(keys.brief, ("begin.start", "begin.run")), (moves, "session"),
             *map(keys.brief, ("sessions.filter", "begin.draw", "begin.several", "begin.kind")))  # fmt: skip
    second = map(keys.brief, ("begin.propose", "begin.write", "begin.evidence", "begin.form", _DATASETS, "begin.leave"))
    return _keys(*first) + Content("\n") + _keys(*second)


def _keys(*pairs: tuple[str, str]) -> Content:
    """Keys and their words on one line."""
    return Content("  ").join(Content.assemble((key, "bold $text-accent"), f" {label}") for key, label in pairs)
