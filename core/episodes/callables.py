"""Tools as plain functions of one session, as frameworks want them that read signatures and docstrings."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from tools.registry import Tool


def bound(tool: Tool, call: Callable[[str, dict[str, Any]], str]) -> Callable[..., str]:
    """A tool as a function without the context it works on: its name, types and Google-style docstring are the tool's.

    Args:
        tool: which.
        call: carries it out; given its name and the arguments.
    """
    first, *parameters = inspect.signature(tool.run).parameters.values()
    hints = {name: _plain(hint) for name, hint in get_type_hints(tool.run).items() if name != first.name}
    typed = [parameter.replace(annotation=hints[parameter.name]) for parameter in parameters]
    signature = inspect.Signature(typed, return_annotation=str)

    def run(*args: Any, **kwargs: Any) -> str:
        return call(tool.name, dict(signature.bind(*args, **kwargs).arguments))

    run.__name__ = run.__qualname__ = tool.name
    run.__doc__ = f"{inspect.getdoc(tool.run) or tool.description}\n\nReturns:\n    The result as JSON.\n"
    run.__annotations__ = {**{parameter.name: hints[parameter.name] for parameter in typed}, "return": str}
    run.__dict__["__signature__"] = signature
    return run


def _plain(hint: Any) -> Any:
    """A type without what pydantic alone reads of it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint
