"""What the export dialog shows before anything is written: the row, the text with what is trained, the losses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from core.export.preview import Losses, Piece, Preview
from core.export.report import ExportReport
from core.text import counted
from tui.widgets.json_lines import json_lines
from tui.widgets.lines import Kind, Line, wrapped

FOLDED_ROWS = 4
"""Rows that stay at each end of a long stretch that is not trained."""
View = Literal["row", "text", "lost"]
VIEWS: Mapping[View, str] = {"row": "the row", "text": "the text, and what is trained", "lost": "what would be lost"}


def count_words(report: ExportReport, held_out: int, leave_out: str) -> list[str]:
    """How many threads leave, what is to be known of them, and why the others stay; `leave_out` is the key that leaves
    out those with a wrong answer."""
    return [
        f"{report.exported:,} of {counted(report.total, 'thread')}",
        *([f"{report.wrong:,} answer wrong: {leave_out} leaves them out"] if report.wrong else []),
        *([f"{held_out:,} held out, on the test side"] if held_out else []),
        *report.warnings,
        *(f"{number:,} {reason}" for reason, number in report.skipped.items()),
    ]


def preview_lines(view: View, seen: Preview | None, lost: Losses | None, width: int) -> list[Line]:
    """One of the views in `width` columns; `seen` is what a thread becomes, None when no thread would leave."""
    if view == "lost":
        return lost_lines(lost, width) if lost is not None else []
    if seen is None:
        return list(wrapped("no thread would leave; widen the filter, or take all threads", width, "warn"))
    head = list(wrapped(seen.refusal, width, "warn"))[: 6 if seen.refusal else 0]
    if view == "text":
        return [*head, *text_lines(seen.rendered, width)]
    rows: list[Line] = []
    for row in seen.rows:
        rows += [*json_lines(json.dumps(row, ensure_ascii=False), width), ()]
    return [*head, *rows]


def text_lines(pieces: Sequence[Piece], width: int) -> list[Line]:
    """The rendered text; a bar beside what is trained. Long stretches that are not are folded in their middle."""
    lines: list[Line] = list(wrapped("▌ a bar stands beside the tokens that are trained", width, "dim"))
    for piece in pieces:
        if not piece.text.strip("\n"):
            continue
        bar: Line = (("▌ ", "good"),) if piece.trained else (("  ", "dim"),)
        kind: Kind = "text" if piece.trained else "dim"
        rows = list(wrapped(piece.text.removesuffix("\n"), width - 2, kind))
        if not piece.trained and len(rows) > 3 * FOLDED_ROWS:
            fold: Line = ((f"… {len(rows) - 2 * FOLDED_ROWS} more lines …", "label"),)
            rows = [*rows[:FOLDED_ROWS], fold, *rows[-FOLDED_ROWS:]]
        lines.extend((*bar, *row) for row in rows)
    return lines


def lost_lines(lost: Losses, width: int) -> list[Line]:
    """What the profile changes or leaves out of the threads that were looked at, and which it refuses."""
    count = f"the first {lost.looked_at} threads" if lost.looked_at > 1 else f"{lost.looked_at} thread"
    if not lost.changes and not lost.refused:
        return list(wrapped(f"nothing, in {count}", width))
    lines: list[Line] = list(wrapped(f"in {count}:", width, "dim"))
    for what, places in lost.changes.items():
        lines.extend((("  ", "text"), *row) for row in wrapped(f"{places:,} × {what}", width - 2))
    for sentence, stems in lost.refused.items():
        named = ", ".join(stems[:3]) + (f" and {len(stems) - 3} more" if len(stems) > 3 else "")
        lines.extend((("  ", "text"), *row) for row in wrapped(f"refused: {sentence} ({named})", width - 2, "warn"))
    return lines
