"""What `sensorloom run` tells when it is over: for a person, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.settings import BUILTIN_MODEL
from core.text import counted
from core.thread.cost import cost_of_all, spent, tokens_in

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.runs.batch import ClassCount, Job, Ran


def summary(jobs: Sequence[Job], ran: Sequence[Ran], seconds: float, batch: str = "", *, stopped: bool) -> list[str]:
    """What became of the jobs, for a person."""
    from core.runs.batch import per_class, per_kind
    from core.thread.scoring import ACTIVITY

    finished = [result.thread for result in ran if result.finished and result.thread]
    lines = [f"finished  {len(finished)} of {len(jobs)} in {seconds:.1f} s"]
    counts = per_kind(finished)
    if counts:
        right, of = sum(kind.correct for kind in counts), sum(kind.finished for kind in counts)
        lines.append(f"correct   {right} of {of} ({right / of:.1%})")
        lines += _shares(counts) if any(kind.label != ACTIVITY for kind in counts) else _shares(per_class(finished))
    lines += cost_lines(ran)
    failed = [result for result in ran if result.error]
    lines += [f"failed    {len(failed)}: {failed[0].error}"] if failed else []
    goes_on = f"`sensorloom run --resume {batch}`" if batch else '`sensorloom run --filter "status:active"`'
    if stopped:
        lines.append(f"stopped   what is done is kept; {goes_on} goes on")
    elif len(ran) < len(jobs):
        left = counted(len(jobs) - len(ran), "thread")
        lines.append(f"stopped   every other thread would meet this error too: {left} not begun; {goes_on} goes on")
    return lines


def _shares(counts: Sequence[ClassCount]) -> list[str]:
    width = max(len(count.label) for count in counts)
    return [
        f"  {count.label:<{width}}  {count.correct:>4} of {count.finished:<4} {count.correct / count.finished:6.1%}"
        for count in counts
    ]


def document(
    jobs: Sequence[Job], ran: Sequence[Ran], choice: ModelChoice, seed: int | None, seconds: float
) -> dict[str, Any]:
    """The same as `--json` has it."""
    from core.runs.batch import per_class, per_kind

    finished = [result.thread for result in ran if result.finished and result.thread]
    counts, kinds = per_class(finished), per_kind(finished)
    return {
        "endpoint": choice.endpoint.name,
        "model": finished[0].metadata.get("model") if finished else choice.model or choice.endpoint.model,
        "seed": seed,
        "asked": len(jobs),
        "finished": len(finished),
        "correct": sum(kind.correct for kind in kinds),
        "per_class": {result.label: {"finished": result.finished, "correct": result.correct} for result in counts},
        "per_kind": {kind.label: {"finished": kind.finished, "correct": kind.correct} for kind in kinds},
        "seconds": round(seconds, 3),
        **tokens_and_cost(ran),
        "threads": [thread_document(result) for result in ran],
    }


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
    return {**told, **{key: thread.metadata.get(key) for key in (*keys, *counts)}, **tokens_and_cost([ran])}


def tokens_and_cost(ran: Sequence[Ran]) -> dict[str, Any]:
    """The tokens that the threads' turns read and wrote, as the servers counted them, and what they cost where that is
    known."""
    messages = [message for result in ran if result.thread for message in result.thread.messages]
    read, written = tokens_in(messages)
    cost = cost_of_all(messages)
    return {"prompt_tokens": read, "completion_tokens": written, **({} if cost is None else {"cost": round(cost, 6)})}


def cost_lines(ran: Sequence[Ran]) -> list[str]:
    """The same as a line; nothing where no server counted."""
    told = tokens_and_cost([result for result in ran if not _by_the_analyst(result)])
    words = spent(told["prompt_tokens"], told["completion_tokens"], told.get("cost"))
    return [f"spent     {words}"] if words else []


def _by_the_analyst(ran: Ran) -> bool:
    """Whether the built-in analyst made the thread: what it counts are words."""
    return ran.thread is not None and ran.thread.metadata.get("model") == BUILTIN_MODEL
