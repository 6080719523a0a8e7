"""The question that opens a thread, proposed by the model from the dataset's description alone."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from typing import Any

from core.errors import SensorloomError
from core.model.client import Model
from core.model.reply import CallWritten, Reply
from core.model.request import sent_messages
from core.runs.cancelling import stay_alive
from core.runs.events import QueryProposed, TurnEnded, TurnEvent, TurnStarted
from core.thread.opening import described, question_prompt


async def propose_question(
    manifest: Mapping[str, Any],
    model: Model,
    *,
    run: str,
    stem: str = "",
    seed: int | None = None,
    prompt: str | None = None,
) -> AsyncIterator[TurnEvent]:
    """Let the model propose the question that a person asks about a session of this dataset."""
    reply = Reply(run)
    if seed is None and model.choice.endpoint.builtin:
        seed = secrets.randbelow(2**31)
    messages = sent_messages(
        [{"role": "user", "content": described(manifest)}], question_prompt() if prompt is None else prompt
    )
    try:
        yield TurnStarted(run, stem, await model.name())
        async for event in model.stream(reply, messages, (), seed):
            if not isinstance(event, CallWritten):
                yield event
    except asyncio.CancelledError:
        stay_alive()
        yield TurnEnded(run, stem, cancelled=True)
    except SensorloomError as error:
        yield TurnEnded(run, stem, error=str(error), for_all=getattr(error, "for_all", False))
    else:
        yield QueryProposed(run, tidy_question(reply.text))
        yield TurnEnded(run, stem)


def tidy_question(text: str) -> str:
    """A proposed question without the quotation marks, labels and further lines that models add."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    line = re.sub(r"^(?:user )?(?:query|question)\s*:\s*", "", lines[0] if lines else "", flags=re.IGNORECASE)
    return line.strip("\"'`“”*_ ")
