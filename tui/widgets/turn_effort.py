"""What stands at a turn of what made it: the model, the tokens, the time."""

from __future__ import annotations

from collections.abc import Mapping

from core.settings import BUILTIN_NAME
from core.text import one_line
from core.thread.cost import cost_in, cost_shown, finite
from core.thread.proposal import origin_of
from core.thread.value import Message, Thread, is_assistant
from tui.widgets.lines import Span
from tui.widgets.short_labels import shortened

LEAST_SHOWN = 0.0001
"""The least cost whose digits fit beside a turn."""


def maker(thread: Thread, message: Message, turn: int) -> tuple[Span, ...]:
    """Which model made a turn, where the thread says so: at the first turn, and where it is another."""
    own = message.get("made_by")
    if not is_assistant(message) or not thread.metadata.get("made_by"):
        return ()
    if turn > 1 and not (isinstance(own, Mapping) and {"model", "endpoint"} & own.keys()):
        return ()
    origin = origin_of(thread, message)
    names = [str(origin[key]) for key in ("model", "endpoint") if origin.get(key) and origin[key] != BUILTIN_NAME]
    return ((shortened(one_line(" at ".join(names)), 60), "dim"),) if names else ()


def effort(message: Message) -> tuple[str, ...]:
    """The tokens of a turn as the server counted them, `1.8k→34` for read and written, and the seconds it took."""
    usage, made_by = message.get("usage"), message.get("made_by")
    lines: list[str] = []
    if isinstance(usage, Mapping):
        counts = [usage.get(key) for key in ("prompt_tokens", "completion_tokens")]
        lines.append(
            "→".join(_count(count) for count in counts if isinstance(count, int) and finite(count) is not None)
        )
    if (cost := cost_in(message)) is not None:
        lines.append(f"¤{cost_shown(cost)}" if cost >= LEAST_SHOWN or not cost else f"<¤{LEAST_SHOWN}")
    seconds = finite(made_by.get("seconds")) if isinstance(made_by, Mapping) else None
    if seconds is not None:
        lines.append(duration(seconds))
    return tuple(line for line in lines if line)


def _count(count: int) -> str:
    kilo = count / 1000
    return str(count) if count < 1000 else f"{kilo:.1f}k" if kilo < 10 else f"{kilo:.0f}k"


def duration(seconds: float) -> str:
    """A time as a person reads it: `840 ms`, `1.2 s`."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
