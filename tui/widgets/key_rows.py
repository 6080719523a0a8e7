"""The keys of a full-screen view, on as few rows as they need."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.keys import Hint, Keys


def key_rows(keys: Keys, hints: Sequence[Hint], width: int, rows: int) -> str:
    """The keys with their labels, at most so many rows of `width` columns; what does not fit is left out whole, the
    last ones first."""
    lines: list[str] = []
    for key, label in map(keys.brief, hints):
        word = f"{key} {label}"
        if lines and cell_len(lines[-1]) + 2 + cell_len(word) <= width:
            lines[-1] += f"  {word}"
        elif len(lines) < rows:
            lines.append(word)
        else:
            break
    return "\n".join(lines)
