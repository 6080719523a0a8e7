"""Wording by composition: a template names what may stand in each place, and a draw chooses."""

from __future__ import annotations

import random
import re
from typing import Any

from core.analyst.conversation import Number

_CHOICE = re.compile(r"\[([^\[\]]*)\]")


def phrase(template: str, draw: random.Random, **slots: Any) -> str:
    """A template with one of each `[this|that|]` drawn, inner ones first, then one of what bars still part, and its
    `{slots}` filled. What fills a slot is taken as it is, whatever signs it holds.
    """
    template = f"[{template}]"
    while _CHOICE.search(template):
        template = _CHOICE.sub(lambda match: draw.choice(match[1].split("|")), template)
    return template.format(**slots)


def listed(names: list[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"


def label_words(label: str) -> str:
    """A label as it stands, in quotes only where it would not read as words."""
    return label.replace("_", " ")


def number(value: Any) -> str:
    """The digits as the result has them. Raises TypeError for what is no number."""
    if not isinstance(value, Number):
        raise TypeError
    return value.text
