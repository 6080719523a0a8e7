from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.tools.made import result_of
from tools.builtin import BUILTIN
from tools.registry import Tool, ToolContext, ToolError, call, tool


@tool
def weigh_samples(context: ToolContext, factor: float, names: list[str] | None = None, twice: bool = False) -> Any:
    """Weigh the samples.

    By a factor.

    Args:
        factor: what they are multiplied by,
            as a number.
        names: which ones.
    """
    if factor < 0:
        raise ToolError("factor must not be negative", smallest=0)
    return {"factor": factor, "names": names, "twice": twice, "none": float("nan")}


@tool
def give_a_list(context: ToolContext) -> Any:
    """Give what no tool may give."""
    return [1]


@tool
def fail(context: ToolContext) -> Any:
    """Fail as code does."""
    raise KeyError("x\ny")


OWN: tuple[Tool, ...] = (weigh_samples, give_a_list, fail)


def test_the_schema_is_what_the_signature_says():
    assert weigh_samples.schema == {
        "type": "function",
        "function": {
            "name": "weigh_samples",
            "description": "Weigh the samples. By a factor.",
            "parameters": {
                "additionalProperties": False,
                "properties": {
                    "factor": {"type": "number", "description": "what they are multiplied by, as a number."},
                    "names": {"type": "array", "items": {"type": "string"}, "description": "which ones."},
                    "twice": {"type": "boolean", "default": False},
                },
                "required": ["factor"],
                "type": "object",
            },
        },
    }


@pytest.mark.parametrize("entry", BUILTIN, ids=lambda entry: entry.name)
def test_every_built_in_tool_has_a_schema_that_a_template_can_render(entry: Tool):
    jsonschema.Draft202012Validator.check_schema(dict(entry.parameters))
    text = json.dumps(entry.schema)
    assert "anyOf" not in text and "$ref" not in text and '"title"' not in text
    assert entry.description.endswith(".") and len(entry.description) > 40
    described = entry.parameters["properties"]
    assert all(about.get("description") for about in described.values()), "every parameter is described"


def test_artifact_tools_are_the_two_that_narrow():
    assert {tool.name for tool in BUILTIN if tool.makes_artifact} == {"select_channels", "filter_by_time"}


@pytest.mark.parametrize(
    ("name", "arguments", "telling"),
    [
        ("weigh_sample", "{}", {"did_you_mean": ["weigh_samples"]}),
        ("weigh_samples", "{}", {"parameters": ["factor", "names", "twice"]}),
        ("weigh_samples", '{"factor": ', {}),
        ("weigh_samples", "[1]", {"parameters": ["factor", "names", "twice"]}),
        ("weigh_samples", '{"factor": 1, "name": ["a"]}', {"did_you_mean": ["names"]}),
        ("weigh_samples", '{"factor": "much"}', {}),
        ("weigh_samples", '{"factor": NaN}', {}),
        ("weigh_samples", '{"factor": 1, "names": "a"}', {}),
        ("weigh_samples", '{"factor": -1}', {"smallest": 0}),
        ("weigh_samples", "[" * 100_000, {}),
        ("give_a_list", "{}", {}),
        ("fail", "{}", {}),
        ("x" * 10_000, "{}", {}),
    ],
)
def test_whatever_goes_wrong_becomes_a_short_error_result(
    context: ToolContext, name: str, arguments: str, telling: dict[str, Any]
):
    outcome = call(OWN, context, name, arguments)
    result = json.loads(outcome.content)
    assert outcome.failed and len(result["error"]) > 10 and "\n" not in result["error"]
    assert telling.items() <= result.items()
    assert len(outcome.content.encode()) < 1500


def test_a_persons_tool_neither_ends_the_program_nor_floods_the_thread(context: ToolContext):
    def leave(context: ToolContext) -> dict[str, Any]:
        raise SystemExit(3)

    def flood(context: ToolContext) -> dict[str, Any]:
        return {"x": "y" * 30_000}

    own = [tool(leave), tool(flood)]
    for name, sentence in (("leave", "SystemExit: 3"), ("flood", "a result may have 20000")):
        outcome = call(own, context, name, "{}")
        assert outcome.failed and sentence in outcome.content and len(outcome.content) < 200


def test_a_tool_that_cannot_be_offered_says_what_it_lacks():
    def without_types(context: ToolContext, window: str) -> dict[str, Any]:
        return {}

    del without_types.__annotations__["window"]

    def without_context() -> dict[str, Any]:
        return {}

    with pytest.raises(TypeError, match="parameter window of the tool without_types has no type"):
        tool(without_types)
    with pytest.raises(TypeError, match="must be the ToolContext"):
        tool(without_context)


def test_numbers_that_json_cannot_hold_become_null(context: ToolContext):
    outcome = call(OWN, context, "weigh_samples", '{"factor": 2}')
    assert not outcome.failed and json.loads(outcome.content)["none"] is None


def test_a_wrong_artifact_names_those_there_are(context: ToolContext):
    artifact = result_of(context, "filter_by_time", {"start_sec": 0, "end_sec": 1})["artifact_id"]
    result = result_of(context, "compute_spectrum", {"artifact_id": "ts_0"})
    assert result["available_artifacts"] == ["session", artifact]


def test_artifact_ids_hang_on_the_content_alone(context: ToolContext):
    artifact = result_of(context, "select_channels", {"channel_names": ["gyro"]})["artifact_id"]
    other = result_of(context, "select_channels", {"channel_names": ["gyro_x", "gyro_y", "gyro_z"]})["artifact_id"]
    cut = {"start_sec": 0, "end_sec": 2, "artifact_id": artifact}
    shorter = result_of(context, "filter_by_time", cut)["artifact_id"]
    assert artifact == other != shorter and artifact.startswith("ts_") and len(artifact) == 15
