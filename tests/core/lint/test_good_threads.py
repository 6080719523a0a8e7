"""Hundreds of threads with nothing wrong in them, as the built-in analyst makes them on data made in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.lint import Context, check_thread
from core.lint.duplicates import Duplicates, spoken_signature
from core.thread.updates import recount
from core.thread.value import Thread, is_assistant
from tests.core.analyst.analyst_threads import manifest_of, run_thread
from tests.tools.made import MOTIONS, MadeDataset, made_dataset
from tools.builtin import BUILTIN

RUNS = 100
QUESTIONS = (
    "What activity is being performed?",
    "Is the person walking, running, standing or laying?",
    "Using only the gyroscope, what activity is this?",
    "Does the person rest? Tell it from the accelerometer.",
    "Which of the activities explains these signals best, and how sure are you?",
    "Is it walking or running? Quote the numbers that decide it.",
)
REMARKS = (
    "Next I would look at the rhythm.",
    "The axes agree so far; 2 more checks will tell.",
    "I need another look.",
)
Document = dict[str, Any]


def shaped(dataset: MadeDataset, session: str, number: int, messages: list[Document]) -> Thread:
    """A thread of one of several shapes that all are in use."""
    document: Document = {
        "id": f"made_{session}_v4_{number:04d}",
        "metadata": {
            "dataset": dataset.name,
            "session": session,
            "ground_truth": dataset.labels[session][0],
            "user_query": str(messages[0]["content"]).rpartition("User Query: ")[2],
            "tags": ["good"] if number % 3 else [],
        },
        "messages": messages,
    }
    if number % 4:
        document["tools"] = [tool.schema for tool in BUILTIN]
    if number % 5 == 0:
        said_by_it = next(message for message in messages if message["role"] == "assistant")
        messages[messages.index(said_by_it)] = {**said_by_it, "reasoning_content": "Which check next?", "train": False}
    if number % 7 == 0:
        document["metadata"]["review"] = {"verdict": "accept", "note": "as it should be"}
    return recount(Thread(document))


def good_threads() -> Iterator[Thread]:
    """Each run to its end, and broken off after some of its turns, where a person went on with a remark."""
    dataset = made_dataset(12, 7)
    manifest = manifest_of(dataset)
    number = 0
    for seed, session in enumerate(list(dataset.windows)[:RUNS]):
        messages = run_thread(dataset, manifest, session, QUESTIONS[seed % len(QUESTIONS)], seed)[1:]
        yield shaped(dataset, session, number := number + 1, messages)
        turns = [index for index, message in enumerate(messages) if is_assistant(message)]
        for turn in turns[2:-1]:  # the first may say the same of every session; without the last it is nearly the whole
            remark = {"role": "assistant", "content": REMARKS[number % len(REMARKS)]}
            yield shaped(dataset, session, number := number + 1, [*messages[:turn], remark])


def test_none_of_three_hundred_good_threads_is_flagged():
    duplicates = Duplicates()
    threads = list(good_threads())
    assert len(threads) >= 300
    statuses = {thread.status for thread in threads}
    assert {"active", "finished"} <= statuses
    assert len({(thread.status, len(thread.messages), thread.tools is None) for thread in threads}) > 25
    for thread in threads:
        findings = [
            *check_thread(thread, Context(thread.id, MOTIONS)),
            duplicates.find(thread.id, spoken_signature(thread)),
        ]
        assert [finding for finding in findings if finding is not None] == [], thread.id
