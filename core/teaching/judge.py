"""A judge model: scores threads by a person's rubric, beside the person's own verdicts.

Zheng et al. (2023), Judging LLM-as-a-judge: it is as good as its agreement with people, so that is counted. The judge
is not told the truth. Scores carry the checksum of the rubric's text, since another rubric is another measure.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from core.curate.steps import commit
from core.errors import ModelError, UsageError, system_reason
from core.model.client import Model
from core.model.request import sent_messages
from core.runs.events import Tell
from core.storage.store import Stored
from core.teaching.asking import ask
from core.thread.judgements import HIGHEST, LOWEST, with_judgement
from core.workspace import Workspace

JUDGE = (
    "You judge conversations in which an analyst answers a question about a sensor recording with tools. Judge this "
    "one by the rubric and by nothing else. You are not told whether the answer is right.\n\nRubric:\n{rubric}\n\n"
    'Answer with one JSON object: {{"reason": "<one sentence>", "score": <whole number, 1 worst to 5 best>, '
    '"verdict": "accept" or "reject"}}'
)
MOST_BYTES = 100_000
"""A rubric is a page, not a book."""


@dataclass(frozen=True, slots=True)
class Rubric:
    """What is judged by."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Its version: the first twelve digits of its text's checksum."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]


class _Judgement(msgspec.Struct):
    score: int
    verdict: str
    reason: str = ""


def read_rubric(path: Path) -> Rubric:
    """Read a rubric file; `~` is the own folder. Raises UsageError for one that cannot be read, or says nothing."""
    try:
        path = path.expanduser()
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode()
    except OSError as error:
        raise UsageError(f"the rubric {path} cannot be read: {system_reason(error)}") from error
    except RuntimeError as error:
        raise UsageError(f"the rubric {path} cannot be read: there is no such person's folder here") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"the rubric {path} is no UTF-8 text (byte {error.start + 1})") from error
    if len(data) > MOST_BYTES or not text.strip():
        raise UsageError(f"the rubric {path} {'is longer than 100 kB' if text.strip() else 'is empty'}")
    return Rubric(path.name, text)


async def judge(
    workspace: Workspace, stored: Stored, model: Model, tell: Tell, rubric: Rubric
) -> tuple[str, Stored | None]:
    """Let a model judge the thread by the rubric and record its score.

    Raises:
        UsageError: the thread is not finished.
        ModelError: the model could not be asked, or its answer is no judgement.
    """
    if stored.thread.status != "finished":
        raise UsageError(f"{stored.stem} is not finished, so there is nothing to judge")
    conversation = json.dumps(sent_messages(stored.thread.messages, ""), ensure_ascii=False, indent=1)
    system = {"role": "system", "content": JUDGE.format(rubric=rubric.text.strip())}
    reply = await ask(model, [system, {"role": "user", "content": f"The conversation:\n{conversation}"}], tell)
    judgement = _read(reply.text, model)
    changed = with_judgement(
        stored.thread,
        model=await model.name(),
        rubric=rubric.name,
        rubric_sha256=rubric.sha256,
        score=judgement.score,
        verdict=judgement.verdict,
        reason=judgement.reason,
    )
    saved = await asyncio.to_thread(commit, workspace, stored, changed, f"judged by {rubric.name}")
    return f"{stored.stem}: {judgement.verdict}, {judgement.score} of {HIGHEST}: {judgement.reason}", saved


def _read(text: str, model: Model) -> _Judgement:
    start, end = text.find("{"), text.rfind("}")
    problem = "it holds no JSON object"
    if 0 <= start < end:
        try:
            judgement = msgspec.json.decode(text[start : end + 1], type=_Judgement)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            problem = str(error)
        else:
            if LOWEST <= judgement.score <= HIGHEST and judgement.verdict in ("accept", "reject"):
                return judgement
            problem = f"score {judgement.score}, verdict {judgement.verdict!r}"
    raise ModelError(f"{model.choice.endpoint.name} gave no judgement that can be read: {problem}")


def judgement_facts(stored: Stored) -> dict[str, Any]:
    """The latest judgement, as a document tells it."""
    return {"judgement": stored.thread.metadata["judgements"][-1]}
