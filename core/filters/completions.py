"""What could follow in a filter line that is being written."""

from __future__ import annotations

import re

from core.filters.terms import ALIASES, ANY, NONE, TERMS


def completions(before: str) -> list[str]:
    """What could follow `before`, the filter up to the cursor: term names, or a term's words."""
    word = re.split(r"\s", before)[-1].removeprefix("-")
    name, colon, value = word.partition(":")
    if not colon:
        return [f"{name}:" for name in TERMS if name.startswith(word)]
    term = TERMS.get(ALIASES.get(name, name))
    if term is None or not (term.choices or term.words or term.of_workspace):
        return []
    last = value.split(",")[-1]
    choices = _checks() if name == "lint" else term.choices
    known = choices if name == "has" else (*choices, NONE, ANY)
    return [
        f"{name}:{value[: len(value) - len(last)]}{choice_of_term}"
        for choice_of_term in known
        if choice_of_term.startswith(last)
    ]


def _checks() -> tuple[str, ...]:
    from core.filters.workspace_terms import checks

    return checks()
