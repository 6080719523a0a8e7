"""The call that runs is the call that passes: the registry and the checks say the same of every case."""

from __future__ import annotations

import json
from typing import Any, Literal, cast

import pytest

from core.thread.call_checks import call_problems
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, call, tool


@tool
def probe(
    context: ToolContext,
    name: str,
    count: int = 1,
    share: float = 0.5,
    exact: bool = False,
    names: list[str] | None = None,
    numbers: list[int] | None = None,
    kind: Literal["a", "b"] = "a",
) -> dict[str, Any]:
    """Say what came.

    Args:
        name: a word.
    """
    return {"name": name, "count": count, "share": share, "names": names, "numbers": numbers, "kind": kind}


PROBE = cast("Tool", probe)
CASES: dict[str, bool] = {
    '{"name": "x"}': True,
    '  {"name": "x"}\n': True,
    "": False,
    "   ": False,
    "{}": False,
    "null": False,
    "[]": False,
    '"x"': False,
    "not json": False,
    '{"name": "x"': False,
    '{"name": 1}': False,
    '{"name": null}': False,
    '{"name": "x", "count": 2}': True,
    '{"name": "x", "count": 2.0}': True,
    '{"name": "x", "count": 2.5}': False,
    '{"name": "x", "count": "2"}': False,
    '{"name": "x", "count": true}': False,
    '{"name": "x", "count": null}': True,
    '{"name": "x", "share": "0"}': False,
    '{"name": "x", "share": 0}': True,
    '{"name": "x", "share": true}': False,
    '{"name": "x", "share": NaN}': False,
    '{"name": "x", "share": 1e999}': False,
    '{"name": "x", "exact": "true"}': False,
    '{"name": "x", "exact": 1}': False,
    '{"name": "x", "exact": true}': True,
    '{"name": "x", "names": "a"}': False,
    '{"name": "x", "names": ["a", "b"]}': True,
    '{"name": "x", "names": [1]}': False,
    '{"name": "x", "names": null}': True,
    '{"name": "x", "numbers": [1, 2.0]}': True,
    '{"name": "x", "numbers": ["1"]}': False,
    '{"name": "x", "kind": "b"}': True,
    '{"name": "x", "kind": "c"}': False,
    '{"name": "x", "other": 1}': False,
    '{"name": "x", "other": null}': False,
    '{"name": "x", "count": ' + "9" * 5000 + "}": False,
    '{"name": ' + "[" * 3000 + "]" * 3000 + "}": False,
    '{"name": "\\ud800"}': False,
    '{"name": "\\ud83d\\ude00"}': True,
}


@pytest.mark.parametrize("arguments", CASES)
def test_a_call_runs_exactly_when_it_passes_the_checks(arguments: str):
    ran = not call([PROBE], cast("ToolContext", None), "probe", arguments).failed
    assert (ran, not call_problems([PROBE.schema], "probe", arguments)) == (CASES[arguments], CASES[arguments])


def _wrong(schema: dict[str, Any]) -> list[Any]:
    """Values that are no value of a parameter, some of them nearly."""
    right: dict[str, Any] = {"string": "x", "number": "0", "integer": "1", "boolean": "true", "array": "x"}
    return [
        value for value in [*right.values(), 1.5, {}, [[]]] if type(value) is not _TYPES.get(schema.get("type", ""))
    ]


_TYPES = {"string": str, "number": float, "integer": int, "boolean": bool, "array": list}


@pytest.mark.parametrize("offered", BUILTIN, ids=lambda offered: offered.name)
def test_the_built_in_tools_refuse_what_the_checks_find(offered: Tool):
    properties: dict[str, dict[str, Any]] = offered.parameters["properties"]
    for name, schema in properties.items():
        for value in _wrong(schema):
            arguments = json.dumps({name: value})
            assert call_problems([offered.schema], offered.name, arguments), arguments
            result = json.loads(call([offered], cast("ToolContext", None), offered.name, arguments).content)
            assert f"`{name}" in result["error"] or "missing" in result["error"], arguments
