"""docs/loop.md, out of what a round of the loop left."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.datasets.standard import open_dataset
from core.evaluation.contest import open_evaluation, outcomes_of
from core.evaluation.scores import Outcome, Share, difference
from core.lint.grounding import quotes_of
from core.listing.variety import facts_of
from core.storage.store import Stored, read_all
from core.thread.conclusion import final_answer
from core.thread.labels import same_label
from core.thread.turns import is_error
from core.thread.value import Thread, call_arguments, calls_of, is_assistant, text_of
from core.workspace import open_workspace
from tests.loop.round import SLOTS, Measured, Sizes, Source

COLUMNS = (
    "| who | evidence | right (95 %) | macro F1 (95 %) | finished | calls | that worked | numbers held | first label "
    "| tokens read | written | seconds |"
)
UNLIKELY = 0.05
"""A difference that chance makes as seldom as this is taken for one."""


BEFORE = """# The loop, closed

Printed by `{sizes}`. The built-in analyst makes threads in the compact form
([task-forms.md](task-forms.md)), once by comparisons with reference sessions (`reference`), once by measurements alone
(`measure`). They are exported, those with a wrong answer left out, and SmolLM2-135M-Instruct is tuned on either kind
with the script beside the export, on the rows of all datasets together: LoRA of rank 16, rate 0.002, bf16, two rows a
step, {steps}. All are asked the same about the same sessions of people who are held out,
served by {server}. Training on a GPU (`make loop DEVICE=cuda`) has not been tried.

{datasets}

## Trained on

| evidence | rows | tokens a row | loss | on people not trained on | CPU seconds for steps | without held-out people |
|---|---|---|---|---|---|---|"""

HELD_OUT = """
*Without held-out people*: rows that are about nobody who is held out, and whose comparisons and ranges leave all of
those out, by what the rows themselves say. They are held out before the first thread is made. Who is not trained on is
on the other side of `--split 90/10 --group subject`. A training that was killed counts the seconds and steps since it
was last gone on with."""

AFTER = """
`-without-tools` is the control: the same question with no tools. Intervals of shares are Wilson's, the others a
bootstrap's over sessions. *That worked*: calls whose result is no error. *Numbers held*: of the numbers that are
quoted, those that a result holds. *First label*: answers that are the first line of the first comparison; the
**first-label rule** answers just that. Calls, tokens and seconds are means of finished threads; the seconds are those
of a busy machine that answered {slots} threads at once. What a model says without a call or an answer is not kept: it
is asked again, and unfinished in the end. Cost: none; all ran on one machine.

## Learned, and not
"""

SERVERS = {
    "vllm": "vLLM on a CPU, in 16 bits",
    "llamacpp": "llama.cpp on a CPU, untuned in the four bits in which it is published, tuned in eight",
}


def page(sources: Sequence[Source], measured: Sequence[Measured], sizes: Sizes) -> list[str]:
    """The page, as lines of Markdown."""
    steps = f"{sizes.steps} steps" if sizes.steps else "each row once"
    about = "; ".join(f"`{source.name}` is {source.about}" for source in sources)
    datasets = textwrap.fill(f"Datasets: {about}.", 120)
    told = [
        BEFORE.format(sizes=sizes.told(), steps=steps, server=SERVERS[sizes.server], datasets=datasets),
        *(_training_row(part, sources) for part in measured),
        HELD_OUT,
    ]
    for source in sources:
        told += ["", f"## Asked about {source.name}", "", *_asked(source, measured)]
        told += ["", "| on the same sessions | points (95 %) | right alone | McNemar's p |", "|---|---|---|---|"]
        told += _differences(source, measured)
    told.append(AFTER.format(slots=SLOTS[sizes.server]))
    return [*told, *(line for source in sources for part in measured for line in _learned(source, part))]


def _training_row(part: Measured, sources: Sequence[Source]) -> str:
    lengths = re.search(r"(\d+) tokens \(median\)", part.training["told"])
    history = part.training["history"]
    losses, unseen = ([step[name] for step in history if name in step] for name in ("loss", "eval_loss"))
    rows = _training_rows(part)
    cells = (
        f"`{part.evidence}`",
        len(rows),
        lengths[1] if lengths else "–",
        f"{losses[0]:.2f} → {losses[-1]:.2f}" if losses else "–",
        f"{unseen[-1]:.2f}" if unseen else "–",
        f"{part.training['seconds']:.0f} for {history[-1]['step'] - part.training['begun_at']}",
        f"{sum(_is_clean(part, row, sources) for row in rows)} of {len(rows)}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _training_rows(part: Measured) -> list[dict[str, Any]]:
    """The metadata of each row that was trained on."""
    train = next(file["path"] for file in part.report["files"] if file["split"] == "train")
    rows = [json.loads(row) for row in Path(train).read_text(encoding="utf-8").splitlines()]
    return [json.loads(row["metadata"]) for row in rows]


def _is_clean(part: Measured, row: dict[str, Any], sources: Sequence[Source]) -> bool:
    source = next(source for source in sources if source.name == row["dataset"])
    subjects = open_dataset(open_workspace(str(part.workspace)), source.name).subjects
    left_out = {f"{source.name}/subject:{person}" for person in source.held_out}
    return subjects[row["session"]] not in source.held_out and left_out <= {*row["references_without"]}


def _asked(source: Source, measured: Sequence[Measured]) -> Iterator[str]:
    """The table of who was asked about a dataset."""
    sessions = measured[0].answers[measured[0].names(source)[0]]["sessions"]
    yield f"{sessions} sessions of the people {', '.join(source.held_out)}."
    yield ""
    yield COLUMNS
    yield "|---" * COLUMNS.count(" | ") + "|---|"
    for part in measured:
        for contestant in _contestants(source, part).values():
            yield _asked_row(part, contestant, _threads(source, part, contestant["key"]))
        yield from _first_label_row(part, _threads(source, part, "builtin"))


def _contestants(source: Source, part: Measured) -> dict[str, dict[str, Any]]:
    """What is said of each, by its key."""
    return {row["key"]: row for name in part.names(source) for row in part.answers[name]["contestants"]}


def _asked_row(part: Measured, contestant: dict[str, Any], threads: Sequence[Thread]) -> str:
    low, high = contestant["macro_f1_interval"]
    worked = Counter(works for thread in threads for works in _calls(thread))
    held = Counter(is_held for thread in threads for *_, is_held in quotes_of(thread))
    first = [fact for thread in threads if (fact := facts_of(thread).first_line) is not None]
    means = [
        contestant[name] if contestant["finished"] else None for name in ("calls", "tokens_read", "tokens", "seconds")
    ]
    calls, read, written, seconds = (
        "–" if mean is None else f"{mean:,.{digits}f}" for mean, digits in zip(means, (1, 0, 0, 1), strict=True)
    )
    cells = (
        contestant["key"],
        part.evidence,
        Share(contestant["right"], contestant["of"]),
        f"{contestant['macro_f1']:.2f} ({low:.2f}–{high:.2f})",
        f"{contestant['finished']} of {contestant['of']}",
        calls,
        _of(worked),
        _of(held),
        _of(Counter(first)),
        read,
        written,
        seconds,
    )
    return f"| {' | '.join(map(str, cells))} |"


def _of(counts: Counter[bool]) -> str:
    return f"{counts[True]} of {counts.total()}" if counts else "–"


def _first_label_row(part: Measured, analysed: Sequence[Thread]) -> Iterator[str]:
    """What the rule that answers the first line would have had right, of the analyst's comparisons."""
    firsts = [(first, thread) for thread in analysed if (first := _first(thread))]
    if firsts:
        right = sum(same_label(first, str(thread.metadata.get("ground_truth", ""))) for first, thread in firsts)
        yield f"| first-label rule | {part.evidence} | {Share(right, len(firsts))} {'| ' * 10}|"


def _first(thread: Thread) -> str:
    for message in thread.messages:
        if message.get("role") == "tool" and message.get("name") == "compare_to_reference":
            distances = json.loads(text_of(message)).get("distances")
            if isinstance(distances, dict) and distances:
                return str(next(iter(distances)))
    return ""


def _threads(source: Source, part: Measured, key: str) -> list[Thread]:
    folders = (part.workspace / "evaluations" / name / key for name in part.names(source))
    every = (stored for folder in folders if folder.is_dir() for stored in read_all(folder))
    return [stored.thread for stored in every if isinstance(stored, Stored)]


def _calls(thread: Thread) -> Iterator[bool]:
    """Whether each call of a thread had a result that is no error."""
    results = {str(m.get("tool_call_id")): text_of(m) for m in thread.messages if m.get("role") == "tool"}
    for message in thread.messages:
        for call in calls_of(message):
            yield not is_error(results.get(str(call.get("id")), '{"error": "none"}'))


def _outcomes(source: Source, part: Measured) -> dict[str, list[Outcome]]:
    """Every try of each contestant, by its key."""
    workspace = open_workspace(str(part.workspace))
    evaluations = [open_evaluation(workspace, name) for name in part.names(source)]
    return {who.key: outcomes_of(workspace, each, who) for each in evaluations for who in each.contestants}


def _differences(source: Source, measured: Sequence[Measured]) -> Iterator[str]:
    """The tuned models against what they came from and learned from, themselves without tools, and each other."""
    tuned: dict[str, list[Outcome]] = {}
    for part in measured:
        outcomes, name = _outcomes(source, part), part.tuned
        tuned[name] = outcomes[name]
        for other in ("base", f"{name}-without-tools", "builtin"):
            yield _difference_row(name, outcomes[name], other, outcomes[other])
    (name, ours), (other, theirs) = tuned.items()
    yield _difference_row(name, ours, other, theirs)


def _difference_row(name: str, ours: Sequence[Outcome], other: str, theirs: Sequence[Outcome]) -> str:
    apart = difference(ours, theirs)
    low, high = apart.interval
    points = f"{100 * apart.value:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"
    return f"| {name} − {other} | {points} | {apart.only_first} and {apart.only_second} | {apart.p:.2g} |"


def _learned(source: Source, part: Measured) -> Iterator[str]:
    """What the figures say of what was learned."""
    base, tuned, analyst = (_contestants(source, part)[key] for key in ("base", part.tuned, "builtin"))
    threads, outcomes = _threads(source, part, part.tuned), _outcomes(source, part)
    answers = Counter(map(_answer, threads))
    most = ", ".join(f"{answer or 'none'} {count}" for answer, count in answers.most_common())
    labels = tuned["per_label"]
    among = sum(count for answer, count in answers.items() if any(same_label(answer, label) for label in labels))
    yield (
        f"- **{source.name}, {part.evidence}**: of {tuned['of']}, untuned {base['right']} right, tuned "
        f"{tuned['right']}, the analyst that it learned from {analyst['right']}."
    )
    yield f"  {among} answers are one of the {len(labels)} labels: {most}."
    control = difference(outcomes[part.tuned], outcomes[f"{part.tuned}-without-tools"])
    if Share(tuned["right"], tuned["of"]).interval[0] <= 1 / len(labels):
        yield f"  That may be chance, 1 in {len(labels)}: it has learned to call and to finish, not to read numbers."
    elif control.p > UNLIKELY:
        yield "  Without tools it is about as good: what its tools say does not carry its answers."
    looked_up = Counter(holds for thread in threads for holds in _looked_up(thread))
    if looked_up:
        yield f"  {_of(looked_up)} look-ups hold the right label, which is to tell motion from rest."
    first = [fact for thread in threads if (fact := facts_of(thread).first_line) is not None]
    if first:
        yield f"  {sum(first)} of {len(first)} answers are the first line of the comparison, which is copying."


def _looked_up(thread: Thread) -> Iterator[bool]:
    """Of each look-up of some labels whether the true one is among them."""
    truth = str(thread.metadata.get("ground_truth", ""))
    for message in thread.messages:
        for call in calls_of(message):
            try:
                labels = json.loads(call_arguments(call)).get("labels")
            except (ValueError, AttributeError):  # what a model writes need not be JSON
                continue
            if isinstance(labels, list):
                yield any(same_label(str(label), truth) for label in labels)


def _answer(thread: Thread) -> str:
    last = thread.messages[-1]
    return final_answer(text_of(last)) or "" if is_assistant(last) else ""
