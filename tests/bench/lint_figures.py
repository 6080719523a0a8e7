"""Precision and recall of the leak, grounding and duplicate checks, on cases planted into real threads.

Run by `make lint-figures`. The threads are made anew by the built-in analyst on the synthetic demo dataset, and on the
UCI HAR slice where it is at hand; each case changes one thread the way it happens in practice. What is planted and how
is written here; what a check finds without its being planted counts against its precision.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.lint import CHECKS, Context, check_thread
from core.lint.duplicates import Duplicates, spoken_signature
from core.thread.value import Thread, text_of

Document = dict[str, Any]
ROOT = Path(__file__).parents[2]
SLICE = ROOT.parent / "shared/data/uci_har.zip"


def _tools(thread: Document) -> list[Document]:
    return [message for message in thread["messages"] if message["role"] == "tool"]


def _into_result(thread: Document, rng: random.Random, **keys: Any) -> None:
    message = rng.choice(_tools(thread))
    message["content"] = json.dumps({**json.loads(message["content"]), **keys}, ensure_ascii=False)


def _into_question(thread: Document, text: str) -> None:
    first = thread["messages"][0]
    first["content"] = f"{text_of(first)} {text}"


def _spoken(truth: str) -> str:
    return truth.replace("_", " ").lower()


LEAKS: dict[str, Callable[[Document, str, random.Random], None]] = {
    "key ground_truth in a result": lambda thread, truth, rng: _into_result(thread, rng, ground_truth=truth),
    "key label of the session": lambda thread, truth, rng: _into_result(thread, rng, session={"label": truth}),
    "key activity": lambda thread, truth, rng: _into_result(thread, rng, activity=_spoken(truth)),
    "key expected_answer": lambda thread, truth, rng: _into_result(thread, rng, expected_answer=_spoken(truth).title()),
    "file path": lambda thread, truth, rng: _into_result(
        thread, rng, source=f"data/raw/{truth}/{rng.randint(1, 99)}.csv"
    ),
    "artifact id": lambda thread, truth, rng: _into_result(thread, rng, artifact=f"ts_{truth}_{rng.randint(100, 999)}"),
    "note: recorded while": lambda thread, truth, rng: _into_result(
        thread, rng, note=f"recorded while {_spoken(truth)}"
    ),
    "note: the subject is": lambda thread, truth, rng: _into_result(
        thread, rng, note=f"The subject is {_spoken(truth)} here."
    ),
    "hint in the question": lambda thread, truth, rng: _into_question(thread, f"Hint: {_spoken(truth)}."),
    "statement in the question": lambda thread, truth, rng: _into_question(
        thread, f"I know the person is {_spoken(truth)}."
    ),
    "aside in the question": lambda thread, truth, rng: _into_question(thread, f"(This one is {_spoken(truth)}.)"),
    "named in passing": lambda thread, truth, rng: _into_question(
        thread, f"What in this {_spoken(truth)} session shows it?"
    ),
    "result that is prose": lambda thread, truth, rng: rng.choice(_tools(thread)).update(
        content=f"label: {_spoken(truth)}"
    ),
}
"""How a truth gets into what a model sees."""

_NUMBER = re.compile(r"(?<![\w.:/±-])\d+\.\d+(?![\w.:/])")


def _change_number(thread: Document, rng: random.Random, change: Callable[[str], str]) -> bool:
    """Change one number with decimals in an assistant's text; whether there was one."""
    answers = [message for message in thread["messages"] if message["role"] == "assistant"]
    rng.shuffle(answers)
    for message in answers:
        numbers = list(_NUMBER.finditer(message["content"]))
        if numbers:
            at = rng.choice(numbers)
            text = message["content"]
            message["content"] = text[: at.start()] + change(at[0]) + text[at.end() :]
            return True
    return False


def _digit(text: str, rng: random.Random) -> str:
    digit_at = rng.choice([at for at, letter in enumerate(text) if letter.isdigit()])
    return (
        text[:digit_at] + rng.choice([digit for digit in "123456789" if digit != text[digit_at]]) + text[digit_at + 1 :]
    )


NUMBERS: dict[str, Callable[[Document, random.Random], bool]] = {
    "one digit changed": lambda thread, rng: _change_number(thread, rng, lambda text: _digit(text, rng)),
    "point moved": lambda thread, rng: _change_number(thread, rng, lambda text: f"{float(text) * 10:.2f}"),
    "number made up": lambda thread, rng: _change_number(thread, rng, lambda _text: f"{rng.uniform(0.01, 60):.2f}"),
    "number added": lambda thread, rng: _added(thread, f" A second peak stands at {rng.uniform(5, 24):.2f} Hz."),
}
"""How a number that no result holds gets into what the assistant says."""


def _added(thread: Document, text: str) -> bool:
    message = next(message for message in thread["messages"] if message["role"] == "assistant")
    message["content"] += text
    return True


def _reworded(thread: Document, rng: random.Random, share: float) -> None:
    """Replace this share of the words the assistant says, the numbers kept."""
    for message in thread["messages"]:
        if message["role"] == "assistant":
            words = message["content"].split(" ")
            for at in range(len(words)):
                if words[at].isalpha() and rng.random() < share:
                    words[at] = rng.choice(("then", "clearly", "here", "indeed", "again"))
            message["content"] = " ".join(words)


DUPLICATES: dict[str, Callable[[Document, random.Random], None]] = {
    "the same under another id": lambda thread, rng: None,
    "another session's name": lambda thread, rng: thread["metadata"].update(session=f"copy_{rng.randint(0, 10**6)}"),
    "a word in a hundred changed": lambda thread, rng: _reworded(thread, rng, 0.01),
    "three words in a hundred changed": lambda thread, rng: _reworded(thread, rng, 0.03),
}
"""How one thread comes to stand twice."""


def figures(threads: list[Document], labels: dict[str, tuple[str, ...]], seed: int) -> list[dict[str, Any]]:
    """Plant, check, and count, for each check and each way."""
    rng = random.Random(seed)

    def check(thread: Document, name: str) -> bool:
        context = Context(thread["id"], labels.get(thread["metadata"]["dataset"], ()))
        return any(finding.check == name for finding in check_thread(Thread(thread), context))

    rows: list[dict[str, Any]] = []
    for name in ("leak", "grounding"):
        false = sum(check(thread, name) for thread in threads)
        ways: dict[str, list[bool]] = {}
        for kind in LEAKS if name == "leak" else NUMBERS:
            for thread in rng.sample(threads, min(40, len(threads))):
                planted = copy.deepcopy(thread)
                if name == "leak":
                    LEAKS[kind](planted, thread["metadata"]["ground_truth"], rng)
                elif not NUMBERS[kind](planted, rng):
                    continue
                ways.setdefault(kind, []).append(check(planted, name))
        rows.append(_row(name, ways, false, len(threads)))
    rows.append(_duplicates(threads, rng))
    return rows


def flagged(threads: list[Document], labels: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """How many threads as they were made each check of a thread on its own finds something in."""
    counts: Counter[str] = Counter()
    for thread in threads:
        context = Context(thread["id"], labels.get(thread["metadata"]["dataset"], ()))
        counts.update({finding.check for finding in check_thread(Thread(thread), context)})
    return dict(counts)


def _duplicates(threads: list[Document], rng: random.Random) -> dict[str, Any]:
    duplicates = Duplicates()
    false = sum(duplicates.find(thread["id"], spoken_signature(Thread(thread))) is not None for thread in threads)
    ways: dict[str, list[bool]] = {}
    for kind, change in DUPLICATES.items():
        for thread in rng.sample(threads, min(40, len(threads))):
            planted = json.loads(json.dumps(thread).replace(thread["id"], f"{thread['id']}_again"))
            change(planted, rng)
            ways.setdefault(kind, []).append(
                duplicates.find(planted["id"] + kind, spoken_signature(Thread(planted))) is not None
            )
    return _row("duplicates", ways, false, len(threads))


def _row(name: str, ways: dict[str, list[bool]], false: int, good: int) -> dict[str, Any]:
    caught = sum(sum(some) for some in ways.values())
    planted = sum(len(some) for some in ways.values())
    return {
        "check": name, "planted": planted, "found": caught, "recall": round(caught / planted, 4),
        "good_threads": good, "flagged_among_good": false, "precision": round(caught / max(caught + false, 1), 4),
        "ways": {kind: f"{sum(some)}/{len(some)}" for kind, some in ways.items()},
    }  # fmt: skip


def generated(folder: Path, count: int, seed: int) -> tuple[list[Document], dict[str, tuple[str, ...]]]:
    """Threads by the built-in analyst, and each dataset's labels."""
    program = [sys.executable, "-m", "tui"]
    demo = ("datasets", "import", "demo"), count * 2 // 5 if SLICE.exists() else count
    real = ("datasets", "import", "uci_har", str(SLICE)), count - count * 2 // 5
    for number, (load, some) in enumerate((demo, real) if SLICE.exists() else (demo,)):
        run = ("run", "--dataset", load[2], "--count", str(some), "--seed", str(seed + number))
        for command in (load, run):
            done = subprocess.run(
                [*program, *command, "--workspace", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
    return read(folder)


def read(folder: Path) -> tuple[list[Document], dict[str, tuple[str, ...]]]:
    """The finished threads of a workspace, and each dataset's labels."""
    from core.datasets.standard import open_dataset
    from core.workspace import open_workspace

    documents = [json.loads(path.read_bytes()) for path in sorted((folder / "threads").glob("*.json"))]
    threads = [document for document in documents if document["metadata"]["status"] == "finished"]
    space = open_workspace(str(folder))
    names = sorted({document["metadata"]["dataset"] for document in threads})
    return threads, {name: tuple(open_dataset(space, name).activities) for name in names}


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--threads",
        type=int,
        default=1000,
        help="how many to make, two in five of demo, which has 420 sessions",
    )
    options.add_argument("--workspace", type=Path, help="use the threads of this workspace instead")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        threads, labels = (
            read(asked.workspace) if asked.workspace else generated(Path(scratch), asked.threads, asked.seed)
        )
    rows = figures(threads, labels, asked.seed)
    bad = flagged(threads, labels)
    if asked.json:
        print(json.dumps(rows, indent=2))
        return
    told = ", ".join(f"{name} in {count}" for name, count in bad.items()) or "nothing in any"
    print(f"{len(threads)} good threads of {', '.join(labels)}; all {len(CHECKS)} checks together find {told}\n")
    for row in rows:
        print(
            f"{row['check']:11} precision {row['precision']:.1%}, recall {row['recall']:.1%} ({row['found']} of "
            f"{row['planted']} planted; {row['flagged_among_good']} of {row['good_threads']} good flagged)"
        )
        for kind, share in row["ways"].items():
            print(f"            {share:>7}  {kind}")


if __name__ == "__main__":
    main()
