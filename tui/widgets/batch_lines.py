"""Batches as rows in so many columns: what each is, a bar, and how far and how fast it goes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from core.runs.batch_live import Look, State
from core.runs.progress import Progress, told
from core.text import one_line
from tui.widgets.count_table import Row
from tui.widgets.lines import Kind, Line, fit

BAR_WIDTH = (12, 40)
"""Columns of a bar: at least, and at most."""
KINDS: dict[State, Kind] = {
    "whole": "dim", "left": "warn", "under way": "mark", "paused": "warn", "pausing": "warn", "going on": "mark",
    "stopping": "warn", "damaged": "bad",
}  # fmt: skip


def batch_rows(looks: Sequence[Look], width: int, left: str, starting: Collection[str] = ()) -> Iterator[Row]:
    """The rows of all, in their order.

    Args:
        looks: the batches as they are.
        width: columns there are.
        left: what is said of one that somebody could go on with.
        starting: the names of those that are no longer left, though no process makes them yet.
    """
    for look in looks:
        yield from _rows(look, width, "starting" if look.name in starting else left)


def _rows(look: Look, width: int, left: str) -> Iterator[Row]:
    state = left if look.state == "left" else look.state
    asked = f"{look.model} at {look.endpoint}" if look.model else look.endpoint
    words = one_line(f"{', '.join(look.datasets)} · {asked}" if asked else "", 120)
    far = told(look.progress)
    count = f"  {far[0]}" if look.state == "whole" else ""
    head: Line = (("  ", "text"), (look.name, "text"), (f"  {state}{count}", KINDS[look.state]), (f"  {words}", "dim"))
    yield Row(fit(head, width), (look.name,), _about(look))
    if look.state in ("damaged", "whole"):
        return
    counts = [part for part in far if part.endswith((" done", " failed"))]
    bar = max(BAR_WIDTH[0], min(BAR_WIDTH[1], width // 4))
    share = 100 * look.progress.done // max(1, look.progress.of)
    line: Line = (("    ", "text"), *_bar(look.progress, bar), (f" {share:>3} %  {' · '.join(counts)}", "text"))
    yield Row(fit(line, width))
    if rest := [part for part in far if part not in (*counts, look.state)]:
        yield Row(fit((("    ", "text"), (_fitting(rest, width - 4), "dim")), width))
    yield Row()


def _bar(progress: Progress, width: int) -> Line:
    """Done, failed and left; what there is of shows at least a column."""
    of = max(1, progress.of)
    done = max(round(width * progress.done / of), 1 if progress.done else 0)
    done = min(done, width - 1) if progress.done < progress.of else done
    failed = min(max(round(width * progress.failed / of), 1 if progress.failed else 0), width - done)
    return (("█" * done, "good"), ("▒" * failed, "bad"), ("░" * (width - done - failed), "dim"))


def _fitting(parts: Sequence[str], width: int) -> str:
    text = ""
    for part in parts:
        longer = f"{text} · {part}" if text else part
        if len(longer) > width:
            break
        text = longer
    return text


def _about(look: Look) -> str:
    begun = f"begun {look.begun_at[:16].replace('T', ' ')}"
    parts = [look.problem or begun, f"made by {look.maker}" if look.alive else "", look.progress.problem]
    return " · ".join(filter(None, parts))
