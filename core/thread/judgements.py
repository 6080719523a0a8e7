"""What judge models said of a thread: a score and a verdict by a rubric, and with which version of the rubric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.thread.updates import with_metadata
from core.thread.value import Thread, timestamp

LOWEST, HIGHEST = 1, 5
"""The range of scores."""


def judgements_of(thread: Thread) -> list[Mapping[str, Any]]:
    """Every judgement, the latest last."""
    judgements = thread.metadata.get("judgements")
    return [entry for entry in judgements if isinstance(entry, Mapping)] if isinstance(judgements, list) else []


def judged(thread: Thread) -> str:
    """The latest judge's verdict: `accept`, `reject`, or nothing."""
    judgements = judgements_of(thread)
    verdict = judgements[-1].get("verdict") if judgements else None
    return verdict if verdict in ("accept", "reject") else ""


def with_judgement(
    thread: Thread, *, model: str, rubric: str, rubric_sha256: str, score: int, verdict: str, reason: str
) -> Thread:
    """The thread with another judgement. One of the same model by the same version of the rubric takes its place."""
    fresh = {
        "model": model, "rubric": rubric, "rubric_sha256": rubric_sha256, "score": score, "verdict": verdict,
        "reason": reason, "at": timestamp(),
    }  # fmt: skip
    others = [
        entry
        for entry in judgements_of(thread)
        if (entry.get("model"), entry.get("rubric_sha256")) != (model, rubric_sha256)
    ]
    return with_metadata(thread, judgements=[*others, fresh])
