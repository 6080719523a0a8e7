"""How good the tools and the built-in analyst are on real data, with subjects held out.

`python -m tests.bench.tools [--data FOLDER] [--count N]` imports the slices of public datasets into a workspace of its
own, runs the analyst over their sessions and prints a page of Markdown. The tools compare a session with other
subjects only, so every answer is one about a person whose sessions were held out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2

from core.analyst.transport import BuiltinTransport
from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import StandardDataset, dataset_names, open_dataset
from core.evaluation.scores import Share
from core.listing.variety import facts_of
from core.model.request import sent_messages
from core.runs.toolbox import offered_in
from core.thread.conclusion import final_answer, stated_confidence
from core.thread.labels import same_label
from core.thread.open_answer import is_open, labels_left
from core.thread.opening import described, first_message, question_prompt, system_prompt
from core.thread.value import Thread, text_of
from core.workspace import Workspace, open_workspace
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, call
from tools.session import Dataset

PLAIN_QUESTION = "What activity is being performed?"
DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Answered:
    """One thread's outcome."""

    session: str
    answer: str
    truth: str
    confidence: str
    seconds: float
    calls: tuple[str, ...]
    first_line: bool | None
    """Whether the answer is the first label of the first comparison."""
    cites: bool
    """Whether the final message cites a measurement."""

    @property
    def right(self) -> bool:
        return same_label(self.answer, self.truth)

    @property
    def left(self) -> tuple[str, ...]:
        """The labels that it leaves open; none where it names one."""
        return labels_left(self.answer)

    @property
    def holds(self) -> bool:
        """Whether the truth is the label that it names, or among those that it leaves open."""
        return self.right or any(same_label(label, self.truth) for label in self.left)


@dataclass(frozen=True, slots=True)
class Slice:
    """One dataset of the benchmark."""

    name: str
    title: str
    importer: str
    archive: str
    note: str
    device: str | None = None


SLICES = (
    Slice("uci_har", "UCI HAR", "uci_har", "uci_har.zip", "17 subjects, six activities, windows of 2.56 s."),
    Slice(
        "hapt", "HAPT", "hapt", "hapt.zip",
        "Three recordings of two people, transitions between postures included: whatever is compared with is one other "
        "person.",
    ),
    Slice("wisdm_watch", "WISDM, the watch", "wisdm", "wisdm.zip", "Eight subjects, 18 activities, 10 s.", "watch"),
    Slice(
        "wisdm_phone", "WISDM, the phone", "wisdm", "wisdm.zip",
        "The same activities by a phone in the trousers pocket while the hands eat, type or clap: half of the labels "
        "no method tells apart.", "phone",
    ),
)  # fmt: skip
MODES = ("reference", "measure")


def share_text(right: int, count: int) -> str:
    """A share with its interval, in per cent."""
    return str(Share(right, count))


async def ask(transport: BuiltinTransport, body: dict[str, Any]) -> dict[str, Any]:
    """One request to the analyst, as the client makes it; the message that comes back."""
    request = httpx2.Request("POST", "http://builtin.invalid/v1/chat/completions", json=body)
    response = await transport.handle_async_request(request)
    return json.loads(await response.aread())["choices"][0]["message"]


async def question_for(transport: BuiltinTransport, dataset: StandardDataset, seed: int) -> str:
    """A question that the analyst proposes."""
    messages = [
        {"role": "system", "content": question_prompt()},
        {"role": "user", "content": described(dataset.manifest)},
    ]
    return (await ask(transport, {"model": "builtin-analyst", "messages": messages, "seed": seed}))["content"]


async def run_thread(
    transport: BuiltinTransport,
    dataset: StandardDataset,
    session: str,
    question: str,
    seed: int,
    tools: Sequence[Tool] = BUILTIN,
) -> Thread:
    """Run a thread to its final answer."""
    context = ToolContext(cast("Dataset", dataset), session)
    messages: list[dict[str, Any]] = [first_message(dataset.manifest, question)]
    schemas = [tool.schema for tool in tools]
    for _ in range(10):
        body = {"model": "builtin-analyst", "messages": sent_messages(messages, system_prompt()), "seed": seed}
        message = await ask(transport, body | ({"tools": schemas} if schemas else {}))
        messages.append(message)
        if not message.get("tool_calls"):
            break
        for wanted in message["tool_calls"]:
            outcome = call(tools, context, wanted["function"]["name"], wanted["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": wanted["id"], "content": outcome.content})
    truth = dataset.labels[session][0]
    metadata = {"dataset_name": dataset.name, "session_id": session, "ground_truth": truth, "user_query": question}
    return Thread({"id": f"{session}_{seed}", "metadata": metadata, "messages": messages})


async def answered(
    transport: BuiltinTransport, dataset: StandardDataset, session: str, seed: int, tools: Sequence[Tool]
) -> Answered:
    """What comes of asking the plain question about one session."""
    begun = time.perf_counter()
    thread = await run_thread(transport, dataset, session, PLAIN_QUESTION, seed, tools)
    seconds = time.perf_counter() - begun
    facts, final = facts_of(thread), text_of(thread.messages[-1])
    return Answered(
        session, final_answer(final) or "", thread.truth, stated_confidence(final) or "", seconds, facts.path,
        facts.first_line, bool(facts.cites),
    )  # fmt: skip


def imported(workspace: Workspace, data: Path, chosen: Slice) -> StandardDataset:
    """The slice as a dataset of the workspace."""
    if chosen.name not in dataset_names(workspace):
        options = ImportOptions(device=chosen.device)
        import_dataset(workspace, chosen.importer, data / chosen.archive, name=chosen.name, options=options)
    return open_dataset(workspace, chosen.name)


async def measure(dataset: StandardDataset, count: int) -> dict[str, list[Answered]]:
    """The analyst in both modes, and with the tools taken away, asked about the same sessions."""
    transport = BuiltinTransport(seed=0)
    sessions = sorted(dataset.measurements().sessions)
    random.Random(0).shuffle(sessions)
    tools = {mode: offered_in(BUILTIN, mode) for mode in MODES} | {"control": ()}
    runs: dict[str, list[Answered]] = {name: [] for name in tools}
    for seed, session in enumerate(sessions[:count]):
        for name, offered in tools.items():
            runs[name].append(await answered(transport, dataset, session, seed, offered))
    return runs


def first_labels(dataset: StandardDataset, sessions: Sequence[str]) -> list[str]:
    """The first label of a comparison with all labels, for each session."""
    contexts = [ToolContext(cast("Dataset", dataset), session) for session in sessions]
    outcomes = [json.loads(call(BUILTIN, context, "compare_to_reference", "{}").content) for context in contexts]
    return [next(iter(outcome.get("distances", {})), "") for outcome in outcomes]


def page_of(chosen: Slice, dataset: StandardDataset, runs: dict[str, list[Answered]]) -> list[str]:
    """A dataset's part of the page."""
    from tests.bench.baseline import held_out, tables  # scikit-learn, which only this page needs

    every = list(dataset.measurements().sessions)
    labels = [dataset.labels[session][0] for session in every]
    subjects = [dataset.subjects.get(session, session) for session in every]
    asked = [each.session for each in runs["reference"]]
    truths = [each.truth for each in runs["reference"]]
    features = tables(cast("Dataset", dataset), every)
    predicted = {
        title: dict(zip(every, held_out(features[which], labels, subjects, kind), strict=True))
        for title, which, kind in (
            ("extra trees on the numbers that the measuring tools print", "printed", "trees"),
            ("LDA on the features that the comparing tools compare by", "compared", "lda"),
        )
    }
    baselines = {
        "the first label of one `compare_to_reference`": first_labels(dataset, asked),
        **{title: [known[session] for session in asked] for title, known in predicted.items()},
        "the others' most frequent label": _most_frequent(labels, subjects, [every.index(each) for each in asked]),
    }
    rows = [
        ("the analyst, evidence by `reference`", [each.answer for each in runs["reference"]]),
        ("the analyst, evidence to `measure`", [each.answer for each in runs["measure"]]),
        ("control: the tools taken away", [each.answer for each in runs["control"]]),
        *baselines.items(),
    ]
    return [
        f"## {chosen.title}", "", chosen.note, "",
        f"{len(asked)} of {len(dataset.features().sessions)} sessions, {len(set(subjects))} subjects, "
        f"{len(set(labels))} labels: chance is {100 / len(set(labels)):.1f} %.", "",
        "| who answers | right (95 % Wilson interval) |", "|---|---|",
        *(f"| {name} | {share_text(_right(answers, truths), len(truths))} |" for name, answers in rows), "",
        *_by_mode(runs), "", *_by_confidence(runs), "", *_by_class(runs, predicted), "",
    ]  # fmt: skip


def _most_frequent(labels: Sequence[str], subjects: Sequence[str], asked: Sequence[int]) -> list[str]:
    """For each session asked about, the label that other people have most often."""
    by_subject = {
        subject: Counter(label for label, own in zip(labels, subjects, strict=True) if own != subject).most_common(1)
        for subject in set(subjects)
    }
    return [by_subject[subjects[row]][0][0] if by_subject[subjects[row]] else "" for row in asked]


def _right(answers: Sequence[str], labels: Sequence[str]) -> int:
    return sum(same_label(answer, label) for answer, label in zip(answers, labels, strict=True))


def _by_mode(runs: dict[str, list[Answered]]) -> list[str]:
    lines = ["| | by reference | measured |", "|---|---|---|"]

    def row(title: str, cell: Callable[[list[Answered]], str]) -> None:
        lines.append(f"| {title} | {' | '.join(cell(runs[mode]) for mode in MODES)} |")

    def mean(values: Sequence[float]) -> str:
        return f"{statistics.fmean(values):.1f}" if values else "–"

    def of_open(answers: list[Answered]) -> list[Answered]:
        return [each for each in answers if is_open(each.answer)]

    row("right of those that name a label", lambda every: share_text(
        sum(each.right for each in every), len(every) - len(of_open(every))))  # fmt: skip
    row("cannot be told", lambda every: share_text(len(of_open(every)), len(every)))
    row("of these, with the label among those left", lambda every: share_text(
        sum(each.holds for each in of_open(every)), len(of_open(every))))  # fmt: skip
    row("labels left there, mean", lambda every: mean([len(each.left) for each in of_open(every)]))
    row("right, or the label among those left", lambda every: share_text(
        sum(each.holds for each in every), len(every)))  # fmt: skip
    row("answer is a comparison's first line", lambda every: share_text(
        sum(each.first_line is True for each in every), len(every) - sum(each.first_line is None for each in every),
    ))  # fmt: skip
    row("final message cites a measurement", lambda every: share_text(sum(each.cites for each in every), len(every)))
    row("calls of a thread, mean", lambda every: mean([len(each.calls) for each in every]))
    row("look-ups of a thread, mean", lambda every: mean([each.calls.count("look_up_ranges") for each in every]))
    row("a whole thread, median", lambda every: f"{1000 * statistics.median(each.seconds for each in every):.0f} ms")
    return lines


def _by_class(runs: dict[str, list[Answered]], predicted: dict[str, dict[str, str]]) -> list[str]:
    trees = next(iter(predicted.values()))
    lines = [
        "| label | sessions | by reference | measured | cannot be told | extra trees |",
        "|---|---|---|---|---|---|",
    ]
    for label in sorted({each.truth for each in runs["reference"]}):
        mine = {mode: [each for each in runs[mode] if each.truth == label] for mode in MODES}
        sessions = [each.session for each in mine["reference"]]
        shares = [
            *(sum(each.right for each in mine[mode]) for mode in MODES),
            sum(is_open(each.answer) for each in mine["measure"]),
            sum(trees[session] == label for session in sessions),
        ]
        cells = " | ".join(f"{100 * share / len(sessions):.0f} %" for share in shares)
        lines.append(f"| {label} | {len(sessions)} | {cells} |")
    return lines


def _by_confidence(runs: dict[str, list[Answered]]) -> list[str]:
    lines = ["| confidence stated, of those that name a label | by reference | measured |", "|---|---|---|"]
    for level in ("high", "medium", "low"):
        cells: list[str] = []
        for mode in MODES:
            named = [each for each in runs[mode] if each.confidence == level and not is_open(each.answer)]
            cells.append(f"{share_text(sum(each.right for each in named), len(named))} of {len(named)}")
        lines.append(f"| {level} | {' | '.join(cells)} |")
    return lines


HEAD = """# The tools and the built-in analyst, measured

Printed by `make bench-tools` from slices of public datasets. Subjects are held out: the tools know other people's
sessions only, and each baseline is fitted without the subject it is asked about. The analyst sees what its tool calls
return and nothing else. `docs/evidence.md` says what the two modes of evidence are; in the second no tool ranks labels.
An answer that the label cannot be told counts as not right in the first table. Times are of one machine.
"""


def main() -> int:
    """Run the benchmark and print its page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA, help="the folder with the archives")
    options.add_argument("--count", type=int, default=200, help="sessions of each slice")
    options.add_argument("--only", help="one slice")
    options.add_argument("--workspace", type=Path, help="where the slices are imported; a new folder unless told")
    arguments = options.parse_args()
    if not arguments.data.is_dir():
        print(f"there are no archives in {arguments.data}; name their folder with --data", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(str(arguments.workspace or folder), environ={})
        lines = [HEAD]
        for chosen in SLICES:
            if arguments.only in (None, chosen.name):
                dataset = imported(workspace, arguments.data, chosen)
                runs = asyncio.run(measure(dataset, arguments.count))
                lines += page_of(chosen, dataset, runs)
                print(f"{chosen.name} done", file=sys.stderr)
        print("\n".join(lines).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
