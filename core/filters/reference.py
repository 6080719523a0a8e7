"""Every field of the filter language with an example: for `sensorloom filters`, the filter line's `?` and
`docs/filters.md`, which are all made from the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.filters.call_terms import FIELDS, STATES
from core.filters.terms import TERMS, Term

PAGE = "docs/filters.md"


class Entry(NamedTuple):
    """One line of the reference."""

    name: str
    example: str
    about: str


GRAMMAR = (
    Entry("a word", "peak", "in any text of the thread: question, messages, tool names, arguments, results"),
    Entry("a phrase", '"no rhythm"', "the same, with spaces; quotes also keep `OR`, `(` and `:` from meaning anything"),
    Entry("and", "status:finished correct:false", "terms with a space between them must all hold"),
    Entry("OR", "confidence:low OR turns>8", "either holds; a space binds more closely"),
    Entry("( )", "(correct:false OR confidence:low) verdict:none", "terms that belong together"),
    Entry("-", "-verdict:reject", "before a term or a parenthesis: what does not hold"),
    Entry("a,b", "status:active,finished", "either value"),
    Entry("*", "session:train_16_*", "any letters; `?` is any one letter"),
    Entry("none, any", "verdict:none", "nothing there, or something there"),
    Entry("< <= > >= !=", "turns>=4", "compares numbers and dates; `2..5` is from 2 to 5, `5k` is 5000"),
)
"""What joins terms and values."""


def fields() -> list[Entry]:
    """Every field by name, in the order help shows them."""
    return [Entry(name, term.example, f"{term.about}{_choices(term)}") for name, term in TERMS.items()]


def call_fields() -> list[Entry]:
    """What can stand in `call(...)`."""
    return [
        Entry("call( )", "call(compute_spectrum error)", "all of it holds of one and the same tool call"),
        Entry("a word", "call(gyro_z)", "the tool's name, or a text in its arguments or its result"),
        *(Entry(word, f"call({word})", about) for word, (about, _) in STATES.items()),
        *(Entry(name, f"call({_CALL_EXAMPLES[name]})", about) for name, about in FIELDS.items()),
        Entry("any other key", "call(peak_hz>2)", "a value of this name in its arguments or its result"),
    ]


_CALL_EXAMPLES = {
    "tool": "tool:compute_*",
    "arguments": "arguments:gyro_z",
    "result": "result:peak",
    "turn": "turn:1",
    "is": "is:error",
}


def page() -> str:
    """`docs/filters.md`, whole."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Filters"
    yield ""
    yield "What selects threads: in the list (`/`), in exports, and after `--filter` on the command line."
    yield "`sensorloom filters` prints this and the filters that are saved."
    yield "This page is made from the program's own tables, by `make filters`."
    for heading, entries in (("How terms are joined", GRAMMAR), ("Fields", fields()), ("Of one call", call_fields())):
        yield from ("", f"## {heading}", "", "| | example | |", "|---|---|---|")
        yield from (f"{_cell(entry.name)} | `{entry.example}` | {entry.about} |" for entry in entries)
    yield from ("", "## Saved ones", "")
    yield "`f` on the screen, or `sensorloom filters save NAME TERMS`. `saved:NAME` is one of them within another line."
    yield ""


def _cell(name: str) -> str:
    return f"| {name}" if " " in name else f"| `{name}`"


def _choices(term: Term) -> str:
    return f": {', '.join(term.choices)}" if term.choices else ""
