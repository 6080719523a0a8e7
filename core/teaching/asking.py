"""One question to a model, and the whole of its reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.model.client import Model
from core.model.refusals import Dropped
from core.model.reply import Reply, Waiting
from core.runs.events import Tell


async def ask(
    model: Model, messages: Sequence[Mapping[str, Any]], tell: Tell, tools: Sequence[Mapping[str, Any]] = ()
) -> Reply:
    """Ask and wait for the reply to be whole.

    Raises:
        ModelError: one sentence: what happened at the endpoint, and the way out.
    """
    reply = Reply("")
    async for event in model.stream(reply, messages, tools):
        if isinstance(event, Waiting | Dropped):
            tell(event)
    return reply
