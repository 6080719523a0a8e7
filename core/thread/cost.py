"""What turns cost: by the prices that stood when they were made, kept with each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

PRICED_TOKENS = 1_000_000
"""Prices are of so many tokens."""


def cost_of(read: int | None, written: int | None, price_in: float | None, price_out: float | None) -> float | None:
    """What a message cost that read and wrote so many tokens; None where no price, or no count, is known."""
    parts = [
        tokens * price / PRICED_TOKENS
        for tokens, price in ((read, price_in), (written, price_out))
        if tokens is not None and price is not None
    ]
    return sum(parts) if parts else None


def tokens_in(messages: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """The tokens that messages say they read and wrote, as servers counted them."""
    counts = [usage for message in messages if isinstance(usage := message.get("usage"), Mapping)]

    def total(key: str) -> int:
        return sum(count for usage in counts if isinstance(count := usage.get(key), int))

    return total("prompt_tokens"), total("completion_tokens")


def cost_of_all(messages: Iterable[Mapping[str, Any]]) -> float | None:
    """What messages say they cost together; None where none says."""
    costs = [cost for message in messages if (cost := cost_in(message)) is not None]
    return sum(costs) if costs else None


def cost_in(message: Mapping[str, Any]) -> float | None:
    """What a stored message says it cost; None where it says nothing."""
    usage = message.get("usage")
    return finite(usage.get("cost")) if isinstance(usage, Mapping) else None


def finite(value: object) -> float | None:
    """A number as a server or a file states it; None for what is none, or too large for any program."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def cost_shown(cost: float) -> str:
    """A cost as it is read, two digits of it at least: `0.000078`, `12.40`. Prices have no currency here, so it has
    none."""
    return f"{cost:.{max(2, 1 - math.floor(math.log10(cost)))}f}" if cost > 0 else "0"


def spent(read: int, written: int, cost: float | None) -> str:
    """Tokens and cost in words; empty where no server counted."""
    if not (read or written):
        return ""
    return f"{read:,} tokens read, {written:,} written{'' if cost is None else f', cost {cost_shown(cost)}'}"
