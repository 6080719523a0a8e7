"""Checking a message before it is saved: errors as values, each with its place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.text import one_line
from core.thread.json_text import JsonTextError, arguments_in
from core.thread.value import Message, Thread, call_arguments, call_name, calls_of

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

Schemas = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a message that its thread's own tools would refuse."""

    path: str
    """Where: `tool_calls[0].arguments.channel_names[1]`."""
    text: str
    """What is wrong, and what would be right where that is known. One line."""


def message_problems(thread: Thread, message: Message, old: Message | None = None) -> tuple[Problem, ...]:
    """What is wrong with a message's tool calls. Calls that stand in `old` just so are passed over: they are not what
    was edited, and a model's own mistake may be worth keeping."""
    unchanged = [(call_name(call), call_arguments(call)) for call in calls_of(old)] if old is not None else []
    return tuple(
        Problem(f"tool_calls[{number}].{problem.path}", problem.text)
        for number, call in enumerate(calls_of(message))
        if (call_name(call), call_arguments(call)) not in unchanged
        for problem in call_problems(thread.tools, call_name(call), call_arguments(call))
    )


def call_problems(schemas: Schemas | None, name: str, arguments: str) -> tuple[Problem, ...]:
    """Check a call against the tools that were offered; with none known (None) only that the arguments are an object.

    Args:
        schemas: tools in OpenAI's form, as a thread holds them.
        name: the tool that is called.
        arguments: its arguments, as JSON.
    """
    problems: list[Problem] = []
    offered = {_name(schema): schema for schema in schemas or ()}
    if not name:
        problems.append(Problem("name", "a call needs a tool's name"))
    elif schemas is not None and name not in offered:
        near = difflib.get_close_matches(name, offered, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(offered) or 'none'}"
        problems.append(Problem("name", one_line(f"there is no tool {name!r}; {hint}")))
    try:
        values = arguments_in(arguments)
    except JsonTextError as error:
        return (*problems, Problem("arguments", str(error)))
    parameters = (offered.get(name) or {}).get("function", {}).get("parameters")
    return (*problems, *(_schema_problems(parameters, values) if isinstance(parameters, dict) else ()))


def _name(schema: Mapping[str, Any]) -> str:
    function = schema.get("function")
    return str(function.get("name", "")) if isinstance(function, Mapping) else ""


def _schema_problems(parameters: dict[str, Any], values: dict[str, Any]) -> list[Problem]:
    from jsonschema.exceptions import SchemaError
    from referencing.exceptions import Unresolvable

    try:
        required, properties = (parameters.get(key) or () for key in ("required", "properties"))
        # null for a parameter that may be left out is one left out, for `tools.registry.call` too
        optional = {name for name in properties if name not in required}
        stated = {name: value for name, value in values.items() if value is not None or name not in optional}
        validator = _validator(json.dumps(parameters, sort_keys=True))
        errors = sorted(validator.iter_errors(stated), key=lambda error: [str(part) for part in error.path])
    except (SchemaError, Unresolvable, RecursionError, TypeError):
        return []  # the file's own schema is unusable: the arguments go unchecked
    return [Problem(_path(error), one_line(error.message)) for error in errors]


@lru_cache(maxsize=256)
def _validator(schema: str) -> Validator:
    """A validator that was checked itself: a folder's threads share few schemas, and making one is slow."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import validator_for
    from referencing import Registry

    parameters = json.loads(schema)
    kind = validator_for(parameters, default=Draft202012Validator)
    kind.check_schema(parameters)
    # a registry of its own: a schema in a file must not make us fetch what its references name
    return kind(parameters, registry=Registry())


def _path(error: ValidationError) -> str:
    return "arguments" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
