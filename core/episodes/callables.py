"""Tools as plain functions of one session, as frameworks want them that read signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from tools.registry import Tool


def bound(tool: Tool, call: Callable[[str, dict[str, Any]], str]) -> Callable[..., str]:
    """A tool as a function without the context it works on: its name, types and Google-style docstring say what the
    tool's schema says, in the size it has.

    Args:
        tool: which.
        call: carries it out; given its name and the arguments.
    """

    def run(*args: Any, **kwargs: Any) -> str:
        return call(tool.name, dict(signature.bind(*args, **kwargs).arguments))

    fields = tool.arguments.model_fields
    run.__name__ = run.__qualname__ = tool.name
    run.__doc__ = _docstring(tool)
    run.__annotations__ = {**{name: field.annotation for name, field in fields.items()}, "return": str}
    run.__annotations__ = hints = get_type_hints(run)  # without what pydantic alone reads of them
    parameters = [
        inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=hints[name],
            default=inspect.Parameter.empty if field.is_required() else field.default,
        )
        for name, field in fields.items()
    ]  # fmt: skip
    run.__dict__["__signature__"] = signature = inspect.Signature(parameters, return_annotation=str)
    return run


def _docstring(tool: Tool) -> str:
    """What the schema says. A parameter that it says nothing of has its name there: frameworks want a text for each."""
    properties = tool.parameters["properties"]
    about = "".join(f"    {name}: {properties[name].get('description') or name}\n" for name in properties)
    arguments = f"Args:\n{about}\n" if about else ""
    return f"{tool.description}\n\n{arguments}Returns:\n    The result as JSON.\n"
