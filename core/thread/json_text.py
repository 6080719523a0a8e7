"""JSON that stands as text inside a message: a call's arguments, a tool's result."""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any

MAX_DEPTH = 100
"""Objects and lists inside one another. A thread with the schemas of its tools has about a dozen levels."""


_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonTextError(ValueError):
    """The text is no JSON that every program reads alike; the message says why, as one clause."""


def json_in(text: str) -> Any:
    """The value of a JSON text, as every loader and tool would read it. Raises JsonTextError."""
    try:
        value = json.loads(text, parse_constant=_constant, parse_float=_float)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"not JSON: {error.msg}, line {error.lineno}, column {error.colno}") from error
    except JsonTextError:
        raise
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise JsonTextError("a number has too many digits") from error
    except RecursionError as error:
        raise JsonTextError("nested too deeply") from error
    if is_deep(value, MAX_DEPTH):
        raise JsonTextError("nested too deeply")
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise JsonTextError("half of a character (a lone surrogate) stands in it")
    return value


def arguments_in(text: str) -> dict[str, Any]:
    """A call's arguments as an object; blank text stands for none. Raises JsonTextError."""
    value = json_in(text.strip() or "{}")
    if not isinstance(value, dict):
        raise JsonTextError("the arguments must be a JSON object: {…}")
    return value


@lru_cache(maxsize=4096)  # the calls of a folder share a few thousand texts
def arguments_problem(text: str) -> str:
    """Why a call's arguments are none, as one clause; empty when they are an object."""
    try:
        arguments_in(text)
    except JsonTextError as error:
        return str(error)
    return ""


def _constant(text: str) -> Any:
    raise JsonTextError(f"{text} is no number that JSON has")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonTextError(f"{text[:20]} is a number too large for any program")
    return number


def is_deep(value: Any, most: int) -> bool:
    """Whether objects and lists stand inside one another more than `most` times."""
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        members = (node.values() if type(node) is dict else node for node in level)
        level = [item for some in members for item in some if type(item) is dict or type(item) is list]
        if not level:
            return False
    return bool(level)
