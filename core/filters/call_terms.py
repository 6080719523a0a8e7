"""What stands in `call(...)`: terms that one and the same tool call must meet, with what it was answered.

call(compute_spectrum error)   call(tool:compute_* low_hz>0.5)   call(turn:1 -result:peak)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from core.filters.grammar import Joined, Written
from core.filters.matching import matches_number
from core.filters.terms import ANY, NONE, OnThread, decoded_texts
from core.filters.values import FilterError, looks_numeric, nearest, number_range
from core.thread.turns import calls_with_results, is_error
from core.thread.value import Message, Thread, call_arguments, call_name, in_loss, text_of


@dataclass(frozen=True, slots=True)
class Call:
    """One call, the message it stands in, and its result where there is one."""

    call: Mapping[str, Any]
    message: Message
    result: Message | None
    turn: int
    """Assistant messages from 1."""

    @property
    def arguments(self) -> list[str]:
        """Its arguments as a person reads them."""
        return list(decoded_texts(call_arguments(self.call)))

    @property
    def results(self) -> list[str]:
        """Its result as a person reads it."""
        return [] if self.result is None else list(decoded_texts(text_of(self.result)))

    def values(self, key: str) -> Iterator[Any]:
        """Every value that stands under a key in its arguments or its result, at any depth."""
        for text in (call_arguments(self.call), text_of(self.result) if self.result is not None else ""):
            try:
                yield from _under(json.loads(text), key)
            except (ValueError, RecursionError):
                continue


OnCall = Callable[[Call], bool]

STATES: Mapping[str, tuple[str, OnCall]] = {
    "error": ("its result is an error", lambda call: call.result is not None and is_error(text_of(call.result))),
    "unanswered": ("it has no result", lambda call: call.result is None),
    "edited": (
        "its turn or its result was edited by hand",
        lambda call: any(part is not None and part.get("edited") is True for part in (call.message, call.result)),
    ),
    "stale": (
        "its turn or its result rests on something that changed",
        lambda call: any(part is not None and bool(part.get("stale")) for part in (call.message, call.result)),
    ),
    "untrained": ("its turn is kept out of the loss", lambda call: not in_loss(call.message)),
}
"""Words that say how a call is."""

FIELDS: Mapping[str, str] = {
    "tool": "the tool's name",
    "arguments": "text in its arguments",
    "result": "text in its result",
    "turn": "the number of its turn, from 1",
    "is": f"how it is: {', '.join(STATES)}",
}
"""What can be asked of a call, beside any key of its arguments or its result."""


def some_call(wanted: Joined) -> OnThread:
    """Whether a thread has a call that meets all of it. Raises FilterError with the place of what cannot be read."""
    test = _test(Joined(wanted.parts, wanted.either))
    return lambda thread: any(map(test, _calls(thread)))


def _calls(thread: Thread) -> Iterator[Call]:
    turn = 0
    for index, message in enumerate(thread.messages):
        turn += message.get("role") == "assistant"
        for call, at in calls_with_results(thread.messages, index):
            yield Call(call, message, None if at is None else thread.messages[at], turn)


def _test(part: Written | Joined) -> OnCall:
    if isinstance(part, Written):
        holds = _term(part)
        return lambda call: holds(call) is not part.negated
    if part.of_call:
        raise FilterError(part.start, "a call( stands in another; close the first one before it")
    tests = [_test(inner) for inner in part.parts]
    if part.either:
        return lambda call: any(test(call) for test in tests) is not part.negated
    return lambda call: all(test(call) for test in tests) is not part.negated


def _term(part: Written) -> OnCall:
    name, value = part.name.lower(), part.value
    if not name:
        return _word(part)
    if not value:
        raise FilterError(part.value_at, f"`{name}` needs a value: {FIELDS.get(name, f'{name}:* is any')}")
    if name == "is":
        return _state(part)
    if name in ("tool", "tools", "name"):
        _only_words(part)
        patterns = [word.casefold() for word in value.split(",")]
        return lambda call: any(fnmatchcase(call_name(call.call).casefold(), pattern) for pattern in patterns)
    if name in ("arguments", "result"):
        _only_words(part)
        plain = value.casefold()
        return lambda call: any(
            plain in text.casefold() for text in (call.arguments if name == "arguments" else call.results)
        )
    if name == "turn":
        operator = ":" if part.operator == "=" else part.operator
        low, high = number_range(name, operator, value, part.value_at)  # type: ignore[arg-type]  # no other is read
        return lambda call: matches_number(call.turn, operator, low, high)  # type: ignore[arg-type]
    return _key(part)


def _only_words(part: Written) -> None:
    if part.operator not in (":", "="):
        at = part.value_at - len(part.operator)
        raise FilterError(
            at, f"`{part.name}` does not compare with `{part.operator}`; write `{part.name}:{part.value}`"
        )


def _word(part: Written) -> OnCall:
    """A tool's name, how the call is, or a text in it."""
    plain = part.value.casefold()
    if part.plain and plain in STATES:
        return STATES[plain][1]

    def holds(call: Call) -> bool:
        texts = (call_name(call.call), *call.arguments, *call.results)
        return fnmatchcase(call_name(call.call).casefold(), plain) or any(plain in text.casefold() for text in texts)

    return holds


def _state(part: Written) -> OnCall:
    plain = part.value.casefold()
    if plain not in STATES:
        raise FilterError(part.value_at, f"`is:{part.value}` is not known of a call; {nearest(plain, STATES)}")
    return STATES[plain][1]


def _key(part: Written) -> OnCall:
    """Any key of its arguments or its result: numbers compare, texts are as in the filter's other fields."""
    name, value = part.name, part.value
    if part.operator in (":", "=", "!=") and not looks_numeric(value):
        words = [word.casefold() for word in value.split(",")]
        negated = part.operator == "!="
        return lambda call: _has_word(list(call.values(name)), words) is not negated
    operator = ":" if part.operator == "=" else part.operator
    low, high = number_range(name, operator, value, part.value_at)  # type: ignore[arg-type]  # no other is read

    def holds(call: Call) -> bool:
        return any(
            isinstance(number, int | float) and matches_number(number, operator, low, high)  # type: ignore[arg-type]
            for number in _single(call.values(name))
        )

    return holds


def _has_word(values: Sequence[Any], words: Sequence[str]) -> bool:
    texts = [text if isinstance(text, str) else json.dumps(text) for text in _single(values)]
    return any(
        not values if word == NONE else bool(values) if word == ANY
        else any(fnmatchcase(text.casefold(), word) for text in texts) for word in words
    )  # fmt: skip


def _single(values: Iterator[Any] | Sequence[Any]) -> Iterator[Any]:
    """Values, those of lists one by one."""
    for value in values:
        if isinstance(value, list):
            yield from cast("list[Any]", value)
        else:
            yield value


def _under(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, inner in cast("dict[str, Any]", value).items():
            if name.casefold() == key.casefold():
                yield inner
            yield from _under(inner, key)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _under(inner, key)
