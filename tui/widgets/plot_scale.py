"""Round ticks, and how far a chart's axis reaches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

LEAST_REACH = {"g": 1.0, "mg": 1000.0, "m/s²": 9.8, "rad/s": 2.0, "mrad/s": 2000.0, "deg/s": 100.0, "°/s": 100.0}
"""What an axis shows at least where all channels of a unit share it, so that the noise of standing stays small beside
what walking would be: gravity's own size, and about as fast as a hand turns."""
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` round numbers from `low` to `high`, evenly apart: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if most < 1 or not (math.isfinite(low) and math.isfinite(high)) or not high > low:
        return []
    wanted = (high - low) / most
    power = 10.0 ** math.floor(math.log10(wanted))
    for step in (power * factor for factor in (*_ROUND, 20.0)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if 0 < last - first + 1 <= most:
            return [round(number * step, 12) + 0.0 for number in range(first, last + 1)]
    return []


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """Ticks as a reader writes them, all with as many decimals as the finest of them needs."""
    if not ticks:
        return []
    size = max(abs(tick) for tick in ticks)
    if size >= 1e6 or size < 1e-4:
        return [f"{tick:.3g}" for tick in ticks]
    places = next((p for p in range(9) if all(abs(round(t, p) - t) <= 1e-9 * max(size, 1e-3) for t in ticks)), 8)
    return [f"{tick:.{places}f}" for tick in ticks]


def reach(ranges: Iterable[tuple[float, float]], least: float = 0.0) -> tuple[float, float]:
    """The axis that shows all of these ranges, at least `least` long; from -1 to 1 where there is nothing to show."""
    known = [(low, high) for low, high in ranges if math.isfinite(low) and math.isfinite(high)]
    if not known:
        return -1.0, 1.0
    low, high = min(low for low, _ in known), max(high for _, high in known)
    lacking = max(least - (high - low), 0.0)
    if high - low + lacking <= 0:
        lacking = 2.0
    return low - lacking / 2, high + lacking / 2


def widened(scale: tuple[float, float], least: float) -> tuple[float, float]:
    """A scale of at least this reach, around the same middle: the axes of one sensor then compare."""
    low, high = scale
    middle, half = (low + high) / 2, max(high - low, least) / 2
    return middle - half, middle + half
