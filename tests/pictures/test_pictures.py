from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.pictures.make import SCENES, SIZES, demo_workspace, picture

DOCS = Path(__file__).parents[2] / "docs"


def words(svg: str) -> str:
    """The text of a picture, row by row."""
    return html.unescape(re.sub(r"<[^>]+>", "", "\n".join(re.findall(r"<text.*?</text>", svg)))).replace("\xa0", " ")


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """The demo workspace; made outside of any event loop, because it runs turns to their end."""
    demo_workspace(tmp_path, threads=1)
    return tmp_path


async def test_a_picture_shows_the_proposed_turn_and_nothing_of_this_machine(demo: Path):
    svg = await picture("run", (80, 24), demo)
    assert "proposal" in words(svg) and "accept" in words(svg) and "TURN 3" in words(svg)
    assert str(demo) not in svg and "url(http" not in svg and "@font-face" not in svg


def test_every_picture_is_there_at_both_sizes():
    for name in SCENES:
        for columns, lines in SIZES:
            assert (DOCS / f"screen-{name}-{columns}x{lines}.svg").stat().st_size > 10_000
