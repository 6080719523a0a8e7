"""The built-in analyst, with what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.model.client import Model
from core.model.endpoints import ModelChoice


class Recording(Model):
    """The built-in analyst, with what it was asked."""

    def __init__(self, choice: ModelChoice) -> None:
        super().__init__(choice)
        self.asked: list[tuple[Any, Any]] = []

    def stream(self, reply: Any, messages: Any, tools: Any, seed: int | None = None) -> Any:
        self.asked.append((messages, tools))
        return super().stream(reply, messages, tools, seed)


def plain(message: Mapping[str, Any]) -> dict[str, Any]:
    return {key: message[key] for key in ("role", "content", "tool_calls", "tool_call_id") if message.get(key)}
