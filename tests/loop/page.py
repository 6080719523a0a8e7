"""docs/loop.md, out of what a round of the loop left."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.evaluation.scores import Share
from core.listing.variety import facts_of
from core.storage.store import Stored, read_all
from core.thread.conclusion import final_answer
from core.thread.labels import same_label
from core.thread.turns import is_error
from core.thread.value import Thread, calls_of, is_assistant, text_of

COLUMNS = (
    "| who | evidence | right (95 %) | finished | of the labels | calls that worked | calls | tokens | first label |"
)


@dataclass(frozen=True)
class Results:
    """One kind of evidence: what was made, trained and asked."""

    evidence: str
    report: dict[str, Any]
    """Of the export."""
    training: dict[str, Any]
    """CPU `seconds`, `losses`, and what the script `told`."""
    measured: dict[str, Any]
    """As `evaluate --json` has it."""
    folder: Path
    """Of the evaluation."""
    threads: Path
    """Of the threads to train on."""


def page(results: Sequence[Results], held_out: Sequence[str], arguments: str = "") -> list[str]:
    """The page, as lines of Markdown. `arguments` are those of the command."""
    arguments = f' with `ARGS="{arguments}"`' if arguments else ""
    sessions, people = results[0].measured["sessions"], " and ".join(held_out)
    told = [
        "# The loop, closed once",
        "",
        f"Printed by `make loop`{arguments}. {sessions} sessions of {people} of the demonstration dataset,",
        "who are in no training thread and in no reference that one quotes; all are asked the same about the same",
        "sessions, in the compact form ([task-forms.md](task-forms.md)). The model is SmolLM2-135M-Instruct, served by",
        "llama.cpp on a CPU; tuned with",
        "the script beside the export: LoRA of rank 16, rate 0.002, two rows a step, bf16, once over the rows. So few",
        "sessions tell that the way leads through, and what is grossly learned; they rank no models.",
        "",
        "## Trained on",
        "",
        "| evidence | rows | tokens a row | loss, first and last | CPU seconds | rows without held-out people |",
        "|---|---|---|---|---|---|",
        *(_training_row(result, held_out) for result in results),
        "",
        "## Asked",
        "",
        COLUMNS,
        "|---" * COLUMNS.count(" | ") + "|---|",
    ]
    for result in results:
        told += [_asked_row(result, contestant) for contestant in result.measured["contestants"]]
        told += _first_label_row(result)
    told += [
        "",
        "`-without-tools` is the control: the same question with no tools. *Of the labels*: answers that are one of",
        "the six. *Calls that worked*: those whose result is no error. *First label*: answers that are the first line",
        "of the first comparison; the **first-label rule** answers just that. Cost: none; all ran on one machine.",
        "",
        "## Differences, on the same sessions",
        "",
        "| | points (95 %) | McNemar's p |",
        "|---|---|---|",
    ]
    for result in results:
        told += [_difference_row(row) for row in result.measured["differences"] if "without" not in str(row)]
    return [*told, "", *_learned(results)]


def _training_row(result: Results, held_out: Sequence[str]) -> str:
    rows = sum(file["rows"] for file in result.report["files"] if file["split"] == "train")
    lengths = re.search(r"(\d+) tokens \(median\)", result.training["told"])
    losses = result.training["losses"]
    ends = f"{losses[0]:.2f} → {losses[-1]:.2f}" if losses else "–"
    length, seconds = lengths[1] if lengths else "–", f"{result.training['seconds']:.0f}"
    return f"| `{result.evidence}` | {rows} | {length} | {ends} | {seconds} | {_without(result, held_out)} of {rows} |"


def _without(result: Results, held_out: Sequence[str]) -> int:
    """How many training rows are of others than the held-out people, with references that leave those out."""
    train = next(file["path"] for file in result.report["files"] if file["split"] == "train")
    rows = [json.loads(row) for row in Path(train).read_text(encoding="utf-8").splitlines()]
    threads = [row["metadata"] if isinstance(row["metadata"], dict) else json.loads(row["metadata"]) for row in rows]
    names = {f"demo/subject:{person}" for person in held_out}
    return sum(
        names <= {*thread.get("references_without", ())} and not thread["session"].startswith(tuple(held_out))
        for thread in threads
    )


def _threads(folder: Path) -> list[Thread]:
    return [stored.thread for stored in read_all(folder) if isinstance(stored, Stored)] if folder.is_dir() else []


def _asked_row(result: Results, contestant: dict[str, Any]) -> str:
    threads = _threads(result.folder / contestant["key"])
    labels, of = set(contestant["per_label"]), contestant["of"]
    answers = [answer for thread in threads if (answer := _answer(thread))]
    among = sum(any(same_label(answer, label) for label in labels) for answer in answers)
    worked = Counter(works for thread in threads for works in _calls(thread))
    first = [fact for thread in threads if (fact := facts_of(thread).first_line) is not None]
    cells = (
        contestant["key"],
        result.evidence,
        Share(contestant["right"], of),
        f"{contestant['finished']} of {of}",
        among,
        f"{worked[True]} of {worked.total()}",
        f"{contestant['calls']:.1f}",
        f"{contestant['tokens']:.0f}",
        f"{sum(first)} of {len(first)}" if first else "–",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _first_label_row(result: Results) -> list[str]:
    """What the rule that answers the first line would have had right, of the analyst's comparisons."""
    firsts = [(first, thread) for thread in _threads(result.folder / "builtin") if (first := _first(thread))]
    if not firsts:
        return []
    right = sum(same_label(first, str(thread.metadata.get("ground_truth", ""))) for first, thread in firsts)
    return [f"| first-label rule | {result.evidence} | {Share(right, len(firsts))} | | | | 1.0 | | |"]


def _first(thread: Thread) -> str:
    for message in thread.messages:
        if message.get("role") == "tool" and message.get("name") == "compare_to_reference":
            distances = json.loads(text_of(message)).get("distances")
            if isinstance(distances, dict) and distances:
                return str(next(iter(distances)))
    return ""


def _answer(thread: Thread) -> str:
    last = thread.messages[-1]
    return final_answer(text_of(last)) or "" if is_assistant(last) else ""


def _calls(thread: Thread) -> Iterator[bool]:
    """Whether each call of a thread had a result that is no error."""
    results = {str(m.get("tool_call_id")): text_of(m) for m in thread.messages if m.get("role") == "tool"}
    for message in thread.messages:
        for call in calls_of(message):
            yield not is_error(results.get(str(call.get("id")), '{"error": "none"}'))


def _difference_row(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    points = f"{100 * row['difference']:+.0f} ({100 * low:+.0f} to {100 * high:+.0f})"
    return f"| {row['first']} − {row['second']} | {points} | {row['p']:.2g} |"


def _learned(results: Sequence[Results]) -> list[str]:
    """What the figures say of what was learned."""
    told = ["## Learned, and not", ""]
    for result in results:
        by_key = {row["key"]: row for row in result.measured["contestants"]}
        base, tuned, analyst = (by_key[key] for key in ("base", f"tuned-{result.evidence}", "builtin"))
        threads = _threads(result.folder / tuned["key"])
        answers = Counter(map(_answer, threads))
        most = ", ".join(f"{answer or 'none'} {count}" for answer, count in answers.most_common())
        told += [
            f"- **{result.evidence}**: untuned, {base['right']} of {base['of']} right and {base['finished']} finished; "
            f"tuned, {tuned['right']} right and {tuned['finished']} finished;",
            f"  the analyst that it learned from, {analyst['right']} right. Its answers: {most}.",
        ]
        first = [fact for thread in threads if (fact := facts_of(thread).first_line) is not None]
        if first and all(first):
            told.append(
                "  Every answer is the first line of its comparison: it has learned to call, to finish and to copy."
            )
        if len(answers) <= len(tuned["per_label"]) // 2:
            of_all = f"{len(answers)} of the {len(tuned['per_label'])} labels"
            told.append(f"  It gives {of_all} at all: it has learned to call and to finish, not to read the numbers.")
    return told
