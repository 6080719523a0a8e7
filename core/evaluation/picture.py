"""The table of an evaluation as a picture: each contestant's share right with its interval, drawn on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from core.evaluation.contest import Contestant, Evaluation
from core.evaluation.scores import Outcome, share_right
from core.text import printable

WIDTH, ROW, TOP, BOTTOM = 840, 30, 62, 40
"""In pixels; a row for each contestant."""
NAMES, AXIS, NUMBERS = 16, 300, 640
"""Where the names, the axis and the numbers begin."""
NAME_LENGTH = 38
"""Characters of a name that fit before the axis."""
SPAN = NUMBERS - AXIS - 24
"""Columns from 0 to 100 %."""


def picture(evaluation: Evaluation, answers: Mapping[Contestant, Sequence[Outcome]]) -> str:
    """An SVG that follows the reader's light or dark page."""
    height = TOP + ROW * len(answers) + BOTTOM
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    title = f"{evaluation.name}: {evaluation.about}"
    rows = [_row(TOP + ROW * at, *pair) for at, pair in enumerate(answers.items())]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
            "<style>text{font:14px system-ui,sans-serif;fill:#222}.dim{fill:#666;font-size:12px}.grid{stroke:#ccc}"
            ".bar{stroke:#2a6fb0;stroke-width:2}.dot{fill:#2a6fb0}@media(prefers-color-scheme:dark){text{fill:#ddd}"
            ".dim{fill:#999}.grid{stroke:#444}.bar{stroke:#6ab0f3}.dot{fill:#6ab0f3}}</style>",
            f'<text x="{NAMES}" y="24">{_safe(title)}</text>',
            f'<text class="dim" x="{NAMES}" y="44">share of tries that are right, with its interval of 95 %</text>',
            *_axis(height - BOTTOM),
            *rows,
            "</svg>",
            "",
        )
    )


def _axis(bottom: int) -> list[str]:
    parts: list[str] = []
    for percent in (0, 25, 50, 75, 100):
        x = _at(percent / 100)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{bottom}"/>')
        parts.append(f'<text class="dim" x="{x}" y="{bottom + 18}" text-anchor="middle">{percent} %</text>')
    return parts


def _row(top: int, contestant: Contestant, outcomes: Sequence[Outcome]) -> str:
    share = share_right(outcomes)
    low, high = share.interval
    y = top + ROW // 2
    name = contestant.key if len(contestant.key) <= NAME_LENGTH else f"{contestant.key[: NAME_LENGTH - 1]}…"
    return (
        f'<text x="{NAMES}" y="{y + 5}">{_safe(name)}</text>'
        f'<line class="bar" x1="{_at(low)}" x2="{_at(high)}" y1="{y}" y2="{y}"/>'
        f'<circle class="dot" cx="{_at(share.value)}" cy="{y}" r="5"/>'
        f'<text x="{NUMBERS}" y="{y + 5}">{share}</text>'
    )


def _at(share: float) -> str:
    return f"{AXIS + SPAN * share:.1f}"


def _safe(text: str) -> str:
    return escape(printable(text))
