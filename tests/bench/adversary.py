"""Does anything that is sent or exported, but what was measured, tell the label? An adversary looks for it.

`python -m tests.bench.adversary [--count N] [--data FOLDER]` makes threads of the built-in analyst about sessions of
three datasets, keeps every request as it was sent, exports the threads in every form that a thread alone makes, and
has an adversary guess each session's label from what stands around the measurements: ids, times, lengths, gaps, order.
It is trained on other subjects' threads. Not looked at is what the answer is meant to come from: measured numbers, how
long was measured, and the answer itself, which a row ends with.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray

from core.analyst.transport import BuiltinTransport
from core.datasets.drawing import draw_sessions
from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.evaluation.scores import wilson
from core.export.report import ExportRequest
from core.export.run import export
from core.model.client import Model
from core.model.endpoints import choose
from core.runs.job import Job
from core.thread.evidence import Evidence
from core.workspace import Workspace, open_workspace
from tests.bench.tools import DATA, SLICES, Slice, imported, share_text
from tests.core.runs.told import told_by

BOTH: tuple[Evidence, ...] = ("reference", "measure")
_SLICES = (*SLICES, Slice("wisdm", "WISDM", "wisdm", "wisdm.zip", "Both devices."))
NAMES: dict[str, tuple[Evidence, ...]] = {"demo": BOTH, "uci_har": BOTH, "wisdm": ("reference",)}
"""The datasets, and in which modes of evidence their threads are made, in turn: measuring WISDM's windows for ranges
takes longer than all the rest."""
FORMS = (
    ("openai_v1", "stored"), ("openai_v1", "neutral"), ("hf", "stored"), ("openai", "stored"),
    ("llamafactory", "stored"),
)  # fmt: skip
"""Profiles, and which call ids the plain one has; those of all others are neutral."""
TIMES = re.compile(r"_sec$|samples|rate_hz|duration|resolution")
GAPS = re.compile(r"(^|_)nan|missing|absent|without_data|(^|_)gap")
IDS = ("id", "tool_call_id", "artifact_id")
FIRST_IDS = 3
FOLDS = 5
"""Parts that the subjects are dealt into; each part is guessed by who has seen the others."""
TELLING = 3
"""Columns that the neighbours are looked for by."""
SURE = 3.29
"""Standard deviations of the interval beyond which something is found: 99.9 %, since so many places are searched."""

Marks = dict[str, float]
"""What the adversary is given of one thread, by name."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One thread: every request that was sent for it, and what is known of its session."""

    stem: str
    session: str
    subject: str
    label: str
    requests: tuple[dict[str, Any], ...]
    headers: tuple[dict[str, str], ...]


@dataclass(slots=True)
class Recorder(httpx2.AsyncBaseTransport):
    """The built-in analyst, with all that is sent to it kept."""

    inner: BuiltinTransport = field(default_factory=BuiltinTransport)
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(await request.aread()))
        self.headers.append({name: value for name, value in request.headers.items() if name != "content-length"})
        return await self.inner.handle_async_request(request)


async def captured(
    workspace: Workspace, dataset: StandardDataset, count: int, evidence: Sequence[Evidence] = BOTH, seed: int = 0
) -> list[Captured]:
    """So many threads about sessions spread over the labels, in turn of each mode of evidence, run one by one."""
    threads: list[Captured] = []
    for number, session in enumerate(draw_sessions(dataset, count, seed)):
        recorder = Recorder()
        model = Model(choose(workspace, "builtin"), recorder)
        job = Job(dataset.name, session, seed=seed + number, evidence=evidence[number % len(evidence)])
        (ran,) = await told_by(workspace, [job], model, parallel=1)
        await model.aclose()
        if ran.stored is None or not ran.finished:
            raise RuntimeError(f"{session}: {ran.error or 'not finished'}")
        subject = dataset.subjects.get(session, session)
        requests, headers = tuple(recorder.requests), tuple(recorder.headers)
        threads.append(Captured(ran.stored.stem, session, subject, dataset.labels[session][0], requests, headers))
    return threads


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """What a JSON value holds, each with the key it stands under; a list's items have its key and their place."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, str(name))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from leaves(item, f"{key}[{at}]")
    else:
        yield key, value


def of_text(text: str) -> Marks:
    """What may be read out of a text: its length, its numbers and its words."""
    marks = {"length": float(len(text))}
    marks |= {f"number {at}": float(number[-15:]) for at, number in enumerate(re.findall(r"\d+", text)[:8])}
    for word in re.findall(r"[a-z]+", text.lower()):
        bucket = f"word {zlib.crc32(word.encode()) % 64}"
        marks[bucket] = marks.get(bucket, 0) + 1
    return marks


def of_opening(thread: Captured) -> Marks:
    """The first request, before anything was measured: what is asked, by which seed, and the tools that are offered."""
    first = next(request for request in thread.requests if request.get("tools"))
    question = first["messages"][1]["content"].rpartition("User Query:")[2]
    rest = {"seed": float(first.get("seed") or -1), "bytes": float(len(json.dumps(first)))}
    return of_text(question) | rest | {"tools": float(len(first.get("tools") or ()))}


def results(thread: Captured) -> list[dict[str, Any]]:
    """What the tools answered, as it was sent."""
    contents = [message["content"] for message in thread.requests[-1]["messages"] if message["role"] == "tool"]
    return [json.loads(content) for content in contents]


def of_ids(messages: Sequence[Any]) -> Marks:
    """The numbers in the first ids of a conversation, and how long the ids are."""
    ids = [str(item) for key, item in leaves(list(messages)) if key in IDS and item != "session"]
    marks: Marks = {}
    for at, text in enumerate(list(dict.fromkeys(ids))[:FIRST_IDS]):
        numbers = re.findall(r"\d+", text)
        marks |= {f"id {at} number {nth}": float(number[-15:]) for nth, number in enumerate(numbers[:5])}
        marks |= {f"id {at} length": float(len(text)), f"id {at} letters": float(zlib.crc32(text[:6].encode()))}
    return marks


def matching(pattern: re.Pattern[str], some: Sequence[dict[str, Any]]) -> Marks:
    """The first numbers under keys of these names; a list of names counts by its length, null as what it is."""
    marks: Marks = {}
    for result in some:
        for key, item in leaves(result):
            if pattern.search(key):
                number = float(item) if isinstance(item, int | float) else -1.0 if item is None else float(len(item))
                marks.setdefault(key, number)
    return marks


def in_all(marks: Sequence[Marks]) -> list[Marks]:
    """The marks that every thread has: which of the others there are tells which tools were called, and that follows
    from what was measured."""
    common = set.intersection(*(set(thread_marks) for thread_marks in marks))
    return [{name: thread_marks[name] for name in common} for thread_marks in marks]


def sent_views(threads: Sequence[Captured]) -> dict[str, list[Marks]]:
    """What was sent, looked at in several ways."""
    return {
        "sent: the opening and its seed": [of_opening(thread) for thread in threads],
        "sent: ids of calls and windows": [of_ids(thread.requests[-1]["messages"]) for thread in threads],
        "sent: times, lengths, rates": in_all([matching(TIMES, results(thread)) for thread in threads]),
        "sent: missing samples": [matching(GAPS, results(thread)) for thread in threads],
    }


def exported_views(
    workspace: Workspace, threads: Sequence[Captured], profile: str, call_ids: Any
) -> dict[str, list[Marks]]:
    """The rows of a profile, looked at in several ways. Rows stand for threads as the manifest has it."""
    report = export(workspace, ExportRequest(profile, call_ids=call_ids))
    assert report.path is not None
    manifest = next(path for path in report.beside if path.name.endswith(".manifest.json"))
    lines = report.path.read_text(encoding="utf-8").splitlines()
    rows: dict[str, Any] = {}
    for listed in json.loads(manifest.read_text(encoding="utf-8"))["threads"]:
        rows[listed["stem"]] = (len(rows), json.loads(lines[len(rows)]))
    name = f"{profile}, {call_ids} ids" if profile == "openai_v1" else profile
    in_thread_order = [rows[thread.stem][1] for thread in threads]
    return {
        f"{name}: call ids": [of_ids(messages_in(row)) for row in in_thread_order],
        f"{name}: order of the rows": [{"place": float(rows[thread.stem][0])} for thread in threads],
        f"{name}: the opening": [of_text(json.dumps(messages_in(row)[0])) for row in in_thread_order],
    }


def messages_in(row: Mapping[str, Any]) -> list[Any]:
    """The conversation of a row."""
    return row.get("messages") or row.get("conversations") or [row.get("prompt")]


def tabled(marks: Sequence[Marks], threads: Sequence[Captured]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Marks as ranks among all threads, and among those of the same subject, both of shape (threads, names); what a
    thread lacks is -1, and what is the same in all is left out."""
    names = sorted({name for thread_marks in marks for name in thread_marks})
    values = np.array([[thread_marks.get(name, np.nan) for name in names] for thread_marks in marks], dtype=float)
    values = values.reshape(len(marks), len(names))
    people = np.array([thread.subject for thread in threads], dtype=object)
    own = np.full(values.shape, -1.0)
    for person in set(people):
        own[people == person] = ranked(values[people == person])
    everywhere, own = (table[:, (table != table[:1]).any(axis=0)] for table in (ranked(values), own))
    return everywhere, own


def ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each column's ranks, from 0 to 1; -1 where there is no number."""
    ranks = np.full(values.shape, -1.0)
    for column, there in enumerate(np.isfinite(values).T):
        distinct, places = np.unique(values[there, column], return_inverse=True)
        ranks[there, column] = places / max(len(distinct) - 1, 1)
    return ranks


def by_neighbours(known: NDArray[Any], labels: NDArray[Any], asked: NDArray[Any]) -> list[str]:
    """The label of most of the five nearest, by the few columns that differ most between labels where they are known:
    variance of the labels' means over the variance within."""
    kinds = [known[labels == label] for label in sorted(set(labels))]
    between = np.var([kind.mean(axis=0) for kind in kinds], axis=0)
    within = np.mean([kind.var(axis=0) for kind in kinds], axis=0)
    telling = np.argsort(-between / (within + 1e-9), kind="stable")[:TELLING]
    guesses: list[str] = []
    for row in asked:
        near = np.argsort(np.abs(known - row)[:, telling].sum(axis=1), kind="stable")[:5]
        guesses.append(Counter(labels[near].tolist()).most_common(1)[0][0])
    return guesses


def by_trees(known: NDArray[Any], labels: NDArray[Any], asked: NDArray[Any]) -> list[str]:
    """Extremely randomized trees (Geurts et al. 2006)."""
    from sklearn.ensemble import ExtraTreesClassifier  # pyright: ignore[reportMissingImports]

    return list(ExtraTreesClassifier(60, random_state=0).fit(known, labels).predict(asked))


Guesser = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], list[str]]


def right_guesses(marks: Sequence[Marks], threads: Sequence[Captured], guesser: Guesser = by_neighbours) -> int:
    """How many labels the adversary guesses who has seen no thread of the same subject; by the ranks that serve it
    better."""
    labels = np.array([thread.label for thread in threads], dtype=object)
    people = np.array([thread.subject for thread in threads], dtype=object)
    return max(_right(table, labels, people, guesser) for table in tabled(marks, threads))


def _right(table: NDArray[np.float64], labels: NDArray[Any], people: NDArray[Any], guesser: Guesser) -> int:
    right = 0
    order = sorted(set(people))
    for first in range(FOLDS):
        own = np.isin(people, order[first::FOLDS])
        if own.any() and table.shape[1] and len(set(labels[~own])) > 1:
            right += int((np.array(guesser(table[~own], labels[~own], table[own]), dtype=object) == labels[own]).sum())
    return right


def chance(threads: Sequence[Captured]) -> float:
    """What always naming the most frequent label gets."""
    return Counter(thread.label for thread in threads).most_common(1)[0][1] / len(threads)


def is_found(right: int, threads: Sequence[Captured]) -> bool:
    """Whether so many right guesses are more than chance explains."""
    return wilson(right, len(threads), SURE)[0] > chance(threads)


def views(workspace: Workspace, threads: Sequence[Captured]) -> dict[str, list[Marks]]:
    """Everything that was sent and exported, looked at in every way."""
    every = sent_views(threads)
    for profile, call_ids in FORMS:
        every |= exported_views(workspace, threads, profile, call_ids)
    return every


def section(name: str, threads: Sequence[Captured], every: Mapping[str, list[Marks]]) -> list[str]:
    """A dataset's part of the page."""
    people, labels = {thread.subject for thread in threads}, {thread.label for thread in threads}
    lines = [
        f"## {name}", "",
        f"{len(threads)} threads, {len(people)} subjects, {len(labels)} labels; "
        f"chance {100 * chance(threads):.1f} %.", "",
        "| where it looks | trees | neighbours | |", "|---|---|---|---|",
    ]  # fmt: skip
    for view, marks in every.items():
        if not any(table.shape[1] for table in tabled(marks, threads)):
            lines.append(f"| {view} | the same in all | | |")
            continue
        counts = [right_guesses(marks, threads, guesser) for guesser in (by_trees, by_neighbours)]
        told = " | ".join(share_text(count, len(threads)) for count in counts)
        lines.append(
            f"| {view} | {told} | {'**found**' if any(is_found(count, threads) for count in counts) else ''} |"
        )
    return [*lines, ""]


HEAD = """# What gives the label away, besides what was measured

Printed by `make adversary`. Threads of the built-in analyst, half in each mode of evidence (those of WISDM all by
reference); every request is kept as it was sent, and the threads are exported in every form that a thread alone makes.
An adversary guesses the label from what stands around the measurements, by its rank among all threads and among those
of the same subject, trained on the threads of other subjects: share right, 95 % Wilson interval. **found** means more
than chance explains at 99.9 %, since so many places are searched. It does not look at measured numbers, nor at how long
was measured, nor at the answer: those are to tell the label. A hundred threads are few: with six labels 30 right
would be found, with eighteen 14. Stored ids tell more where more of a recording is known (UCI HAR: 79 % with all of its
windows), which is why no form but the plain copy keeps them; the tests plant leaks that have to be found.
"""


def main() -> int:
    """Make the threads and print the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=100, help="threads of each dataset")
    options.add_argument("--data", type=Path, default=DATA, help="the folder with the archives")
    options.add_argument("--only", choices=list(NAMES), help="one dataset")
    arguments = options.parse_args()
    print(HEAD)
    for name, evidence in NAMES.items():
        if arguments.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            workspace = open_workspace(folder, environ={})
            if name == "demo":
                import_dataset(workspace, name)
            elif arguments.data.is_dir():
                imported(workspace, arguments.data, next(chosen for chosen in _SLICES if chosen.name == name))
            else:
                continue
            threads = asyncio.run(captured(workspace, open_dataset(workspace, name), arguments.count, evidence))
            print("\n".join(section(name, threads, views(workspace, threads))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
