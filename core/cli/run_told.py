"""What `sensorloom run` tells when it is over: for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.settings import BUILTIN_MODEL
from core.text import counted
from core.thread.cost import cost_of_all, spent, tokens_in
from core.thread.scoring import ACTIVITY, asks_for_a_label, kind_in

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.job import Ran
    from core.thread.value import Message, Thread


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens that turns read and wrote, as the servers counted them, and what they cost where that is known."""

    read: int = 0
    written: int = 0
    cost: float | None = None

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Spent:
        """What messages say."""
        messages = list(messages)
        return cls(*tokens_in(messages), cost_of_all(messages))

    def with_more(self, more: Spent) -> Spent:
        """Both together."""
        cost = self.cost if more.cost is None else (self.cost or 0.0) + more.cost
        return Spent(self.read + more.read, self.written + more.written, cost)

    def document(self) -> dict[str, Any]:
        """As `--json` has it."""
        cost = {} if self.cost is None else {"cost": round(self.cost, 6)}
        return {"prompt_tokens": self.read, "completion_tokens": self.written, **cost}


class Results:
    """What came of a run's threads, as far as it is told when all are over."""

    def __init__(self, *, with_threads: bool = False) -> None:
        """Args: `with_threads` keeps a document of each thread too."""
        self.told = self.finished = self.failed = 0
        self.problem = ""
        """Why the first of them failed."""
        self.model = ""
        """Who made the first that is finished."""
        self.classes: dict[str, _Right] = {}
        """By true label."""
        self.kinds: dict[str, _Right] = {}
        """By kind of question."""
        self.spent = self.counted_by_servers = Spent()
        """What the built-in analyst counts are words: they are only in the first."""
        self._with_threads = with_threads
        self._threads: list[tuple[int, dict[str, Any]]] = []

    def add(self, ran: Ran) -> None:
        """Take in a thread that is over."""
        self.told += 1
        self.failed += bool(ran.error)
        self.problem = self.problem or ran.error
        if self._with_threads:
            self._threads.append((ran.job.number, thread_document(ran)))
        if (thread := ran.thread) is None:
            return
        here = Spent.of(thread.messages)
        self.spent = self.spent.with_more(here)
        if thread.metadata.get("model") != BUILTIN_MODEL:
            self.counted_by_servers = self.counted_by_servers.with_more(here)
        if ran.finished:
            self.finished += 1
            self.model = self.model or str(thread.metadata.get("model") or "")
            self._count(thread)

    def _count(self, thread: Thread) -> None:
        if thread.truth:
            kind, is_right = kind_in(thread.metadata), thread.metadata.get("is_correct") is True
            self.kinds[kind] = self.kinds.get(kind, _Right()).with_one(is_right)
            if asks_for_a_label(kind):
                self.classes[thread.truth] = self.classes.get(thread.truth, _Right()).with_one(is_right)

    def threads(self) -> list[dict[str, Any]]:
        """The documents of the threads, in the order in which they were begun."""
        return [document for _, document in sorted(self._threads, key=lambda numbered: numbered[0])]


@dataclass(frozen=True, slots=True)
class _Right:
    """How often the answer was right, of those that are finished and have a truth."""

    finished: int = 0
    correct: int = 0

    def with_one(self, is_right: bool) -> _Right:
        return _Right(self.finished + 1, self.correct + is_right)


def summary(results: Results, of: int, seconds: float, batch: str = "", *, stopped: bool) -> list[str]:
    """What became of so many jobs, for a person."""
    lines = [f"finished  {results.finished} of {of} in {seconds:.1f} s"]
    kinds = results.kinds
    if kinds:
        right, truths = sum(kind.correct for kind in kinds.values()), sum(kind.finished for kind in kinds.values())
        lines.append(f"correct   {right} of {truths} ({right / truths:.1%})")
        lines += _shares(kinds if kinds.keys() != {ACTIVITY} else results.classes)
    lines += cost_lines(results)
    lines += [f"failed    {results.failed}: {results.problem}"] if results.failed else []
    goes_on = f"`sensorloom run --resume {batch}`" if batch else '`sensorloom run --filter "status:active"`'
    if stopped:
        lines.append(f"stopped   what is done is kept; {goes_on} goes on")
    elif results.told < of:
        left = counted(of - results.told, "thread")
        lines.append(f"stopped   every other thread would meet this error too: {left} not begun; {goes_on} goes on")
    return lines


def _shares(counts: Mapping[str, _Right]) -> list[str]:
    width = max(map(len, counts), default=0)
    return [
        f"  {name:<{width}}  {count.correct:>4} of {count.finished:<4} {count.correct / count.finished:6.1%}"
        for name, count in sorted(counts.items())
    ]


def document(results: Results, of: int, choice: ModelChoice, seed: int | None, seconds: float) -> dict[str, Any]:
    """The same as `--json` has it."""
    return {
        "endpoint": choice.endpoint.name,
        "model": results.model or choice.model or choice.endpoint.model,
        "seed": seed,
        "asked": of,
        "finished": results.finished,
        "correct": sum(kind.correct for kind in results.kinds.values()),
        "per_class": _counts(results.classes),
        "per_kind": _counts(results.kinds),
        "seconds": round(seconds, 3),
        **results.spent.document(),
        "threads": results.threads(),
    }


def _counts(counts: Mapping[str, _Right]) -> dict[str, dict[str, int]]:
    return {name: {"finished": count.finished, "correct": count.correct} for name, count in sorted(counts.items())}


def thread_document(ran: Ran) -> dict[str, Any]:
    """One thread of it."""
    thread = ran.thread
    told = {
        "id": thread.id if thread else ran.job.stem or None,
        "dataset": thread.dataset if thread else ran.job.dataset,
        "session": thread.session if thread else ran.job.session,
        "seconds": round(ran.seconds, 3),
        "error": ran.error,
        "stopped": ran.cancelled,
    }
    if thread is None:
        return {**told, "status": None}
    keys = ("status", "question_kind", "ground_truth", "final_answer", "is_correct", "confidence", "user_query")
    counts = ("num_turns", "num_tool_calls")
    of_thread = {key: thread.metadata.get(key) for key in (*keys, *counts)}
    return {**told, **of_thread, **Spent.of(thread.messages).document()}


def cost_lines(results: Results) -> list[str]:
    """What was spent, as a line; nothing where no server counted."""
    counted_there = results.counted_by_servers
    words = spent(counted_there.read, counted_there.written, counted_there.cost)
    return [f"spent     {words}"] if words else []
