"""How good the tools and the built-in analyst are on real data, with subjects held out.

`python -m tests.bench.tools [--data FOLDER] [--every N]` imports the slices of public datasets into a workspace of its
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
import zipfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx2

from core.analyst.transport import BuiltinTransport
from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.model.request import sent_messages
from core.thread.conclusion import final_answer, stated_confidence
from core.thread.labels import same_label
from core.thread.opening import described, first_message, question_prompt, system_prompt
from core.workspace import Workspace, open_workspace
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, call
from tools.session import Dataset

PLAIN_QUESTION = "What activity is being performed?"
DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(slots=True)
class Answered:
    """One thread's outcome."""

    session: str
    answer: str
    truth: str
    confidence: str
    seconds: float
    calls: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])

    @property
    def right(self) -> bool:
        return same_label(self.answer, self.truth)


@dataclass(frozen=True, slots=True)
class Slice:
    """One dataset of the benchmark."""

    name: str
    importer: str
    archives: tuple[str, ...]
    every: int
    note: str


SLICES = (
    Slice(
        "uci_har", "uci_har", ("uci_har.zip",), 1,
        "3769 windows of 17 subjects, six activities: a real test of people the tools have not seen.",
    ),
    Slice(
        "wisdm", "wisdm", ("wisdm.zip",), 2,
        "Eight subjects, eighteen activities, phone and watch apart; every second window. Half of the sessions are a "
        "phone in the pocket while the hands eat, type or clap, which no method reads well.",
    ),
    Slice(
        "pamap2", "pamap2", ("pamap2_fragments.zip", "pamap2.zip"), 1,
        "Five-second fragments of six subjects and one short recording of a seventh. Every activity but rope jumping "
        "was recorded from one subject only, so with that subject held out no method can name it: those sessions are "
        "wrong by construction, for the baseline too. What can be compared is rope jumping.",
    ),
)  # fmt: skip


def wilson(right: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share, after Wilson (1927): 95 %, or `z` standard deviations."""
    if not count:
        return 0.0, 1.0
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * ((share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5) / (1 + z * z / count)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def share_text(right: int, count: int) -> str:
    """A share with its interval, in per cent."""
    if not count:
        return "–"
    low, high = wilson(right, count)
    return f"{100 * right / count:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


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
) -> Answered:
    """Run a thread to its final answer."""
    context = ToolContext(cast("Dataset", dataset), session)
    messages: list[dict[str, Any]] = [first_message(dataset.manifest, question)]
    schemas = [tool.schema for tool in tools]
    calls: list[tuple[str, float]] = []
    begun = time.perf_counter()
    content = ""
    for _ in range(10):
        body = {"model": "builtin-analyst", "messages": sent_messages(messages, system_prompt()), "seed": seed}
        message = await ask(transport, body | ({"tools": schemas} if schemas else {}))
        messages.append(message)
        content = message["content"]
        if not message.get("tool_calls"):
            break
        for wanted in message["tool_calls"]:
            started = time.perf_counter()
            outcome = call(tools, context, wanted["function"]["name"], wanted["function"]["arguments"])
            calls.append((wanted["function"]["name"], time.perf_counter() - started))
            messages.append({"role": "tool", "tool_call_id": wanted["id"], "content": outcome.content})
    return Answered(
        session,
        final_answer(content) or "",
        dataset.labels[session][0],
        stated_confidence(content) or "",
        time.perf_counter() - begun,
        calls,
    )


def imported(workspace: Workspace, data: Path, chosen: Slice) -> StandardDataset:
    """The slice as a dataset of the workspace."""
    if len(chosen.archives) == 1:
        source = data / chosen.archives[0]
    else:
        source = workspace.root / f"raw-{chosen.name}"
        for archive in chosen.archives:
            with zipfile.ZipFile(data / archive) as packed:
                packed.extractall(source)
        _gather(source)
    import_dataset(workspace, chosen.importer, source, name=chosen.name)
    return open_dataset(workspace, chosen.name)


def _gather(source: Path) -> None:
    """All recordings into one folder `Protocol/`, as the complete dataset has it."""
    folder = source / "Protocol"
    folder.mkdir(exist_ok=True)
    for path in list(source.rglob("*.dat")):
        if path.parent != folder:
            path.rename(folder / path.name)


async def measure(dataset: StandardDataset, every: int) -> dict[str, list[Answered]]:
    """The analyst with the plain question, with questions of its own, and with the tools taken away."""
    transport = BuiltinTransport(seed=0)
    sessions = list(dataset.features().sessions)
    random.Random(0).shuffle(sessions)
    chosen = sorted(sessions[:: max(every, 1)])
    runs: dict[str, list[Answered]] = {"analyst": [], "own questions": [], "control": []}
    for number, session in enumerate(chosen):
        runs["analyst"].append(await run_thread(transport, dataset, session, PLAIN_QUESTION, number))
        runs["control"].append(await run_thread(transport, dataset, session, PLAIN_QUESTION, number, ()))
        if number % 4 == 0 or len(chosen) < 100:
            question = await question_for(transport, dataset, number)
            runs["own questions"].append(await run_thread(transport, dataset, session, question, number))
    return runs


def page_of(chosen: Slice, dataset: StandardDataset, runs: dict[str, list[Answered]]) -> list[str]:
    """A dataset's part of the page."""
    from tests.bench.baseline import held_out, tables  # scikit-learn, which only this page needs

    sessions = list(dataset.features().sessions)
    labels = [dataset.labels[session][0] for session in sessions]
    subjects = [dataset.subjects.get(session, session) for session in sessions]
    asked = {answered.session for answered in runs["analyst"]}
    truth = dict(zip(sessions, labels, strict=True))
    lines = [f"## {chosen.name}", "", chosen.note, ""]
    lines.append(f"{len(asked)} of {len(sessions)} sessions, {len(set(subjects))} subjects, {len(set(labels))} labels.")
    lines += ["", "| who answers | right (95 % Wilson interval) |", "|---|---|"]
    for name, title in (
        ("analyst", "the analyst with all tools"),
        ("own questions", "the same, asked its own varied questions"),
        ("control", "control: the tools taken away"),
    ):
        answers = runs[name]
        lines.append(f"| {title} | {share_text(sum(a.right for a in answers), len(answers))} |")
    majority = {
        person: Counter(label for label, other in zip(labels, subjects, strict=True) if other != person).most_common(1)
        for person in set(subjects)
    }
    common = [
        majority[person][0][0] if majority[person] else ""
        for session, person in zip(sessions, subjects, strict=True)
        if session in asked
    ]
    right = _right(common, [truth[session] for session in sessions if session in asked])
    lines.append(f"| the others' most frequent label | {share_text(right, len(asked))} |")
    lines.append(f"| chance | {100 / max(len(dataset.activities), 1):.1f} % |")
    features = tables(cast("Dataset", dataset), sessions)
    predicted: dict[str, dict[str, str]] = {}
    for kind, title in (("linear", "LDA"), ("forest", "random forest")):
        for which, about in (("plain", "seven plain features per channel"), ("tools", "the tools' features")):
            answers = dict(zip(sessions, held_out(features[which], labels, subjects, kind), strict=True))
            predicted[f"{title}, {about}"] = answers
            right = sum(answers[session] == truth[session] for session in asked)
            lines.append(f"| scikit-learn: {title} on {about} | {share_text(right, len(asked))} |")
    lines += ["", *_by_class(runs["analyst"], predicted), "", *_by_confidence(runs), "", *_times(runs["analyst"]), ""]
    return lines


def _right(answers: Sequence[str], labels: Sequence[str]) -> int:
    return sum(answer == label for answer, label in zip(answers, labels, strict=True))


def _by_class(answers: Sequence[Answered], predicted: dict[str, dict[str, str]]) -> list[str]:
    best = max(predicted, key=lambda name: sum(predicted[name][a.session] == a.truth for a in answers))
    lines = [f"| label | sessions | analyst | {best} | most often taken for |", "|---|---|---|---|---|"]
    for label in sorted({answered.truth for answered in answers}):
        mine = [answered for answered in answers if answered.truth == label]
        theirs = sum(predicted[best][answered.session] == label for answered in mine)
        wrong = Counter(answered.answer for answered in mine if not answered.right).most_common(1)
        mistaken = f"{wrong[0][0]} ({wrong[0][1]})" if wrong else "–"
        right = sum(answered.right for answered in mine)
        lines.append(
            f"| {label} | {len(mine)} | {share_text(right, len(mine))} "
            f"| {100 * theirs / len(mine):.1f} % | {mistaken} |"
        )
    return lines


def _by_confidence(runs: dict[str, list[Answered]]) -> list[str]:
    lines = ["| confidence stated | threads | right |", "|---|---|---|"]
    for level in ("high", "medium", "low"):
        answers = [answered for answered in (*runs["analyst"], *runs["own questions"]) if answered.confidence == level]
        lines.append(
            f"| {level} | {len(answers)} | {share_text(sum(answered.right for answered in answers), len(answers))} |"
        )
    return lines


def _times(answers: Sequence[Answered]) -> list[str]:
    by_tool: defaultdict[str, list[float]] = defaultdict(list)
    for answered in answers:
        for name, seconds in answered.calls:
            by_tool[name].append(1000 * seconds)
    lines = ["| tool | calls | median ms | 95th percentile ms |", "|---|---|---|---|"]
    for name in sorted(by_tool):
        values = sorted(by_tool[name])
        late = values[int(0.95 * (len(values) - 1))]
        lines.append(f"| `{name}` | {len(values)} | {statistics.median(values):.1f} | {late:.1f} |")
    whole = sorted(1000 * answered.seconds for answered in answers)
    lines += ["", f"A whole thread: median {statistics.median(whole):.0f} ms, {len(answers)} threads."]
    return lines


HEAD = """# The tools and the built-in analyst, measured

Printed by `make bench-tools` from slices of public datasets. Subjects are held out: the tools compare a session with
other people's sessions only, and each baseline is fitted without the subject it is asked about. The analyst sees what
its tool calls return and nothing else. The control answers the same questions without tools. Times are of one machine
and count a first call's preparation; compare them with each other only.
"""


def main() -> int:
    """Run the benchmark and print its page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA, help="the folder with the archives")
    options.add_argument("--every", type=int, default=0, help="use every N-th session; each slice has its own default")
    options.add_argument("--only", help="one dataset")
    arguments = options.parse_args()
    if not arguments.data.is_dir():
        print(f"there are no archives in {arguments.data}; name their folder with --data", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(folder, environ={})
        lines = [HEAD]
        for chosen in SLICES:
            if arguments.only in (None, chosen.name):
                dataset = imported(workspace, arguments.data, chosen)
                runs = asyncio.run(measure(dataset, arguments.every or chosen.every))
                lines += page_of(chosen, dataset, runs)
                print(f"{chosen.name} done", file=sys.stderr)
        print("\n".join(lines).rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
