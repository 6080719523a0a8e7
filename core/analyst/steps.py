"""A call that would help, put in the terms of the tool that is offered, and mended after an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.analyst.conversation import Conversation, Finding
from core.analyst.questions import Asked
from tools.registry import SESSION


@dataclass(frozen=True, slots=True)
class Step:
    """A call that would help, and why."""

    tool: str
    arguments: Mapping[str, Any]
    why: str


def possible(conversation: Conversation, step: Step) -> Step | None:
    """The step in the terms of the tool that is offered, mended after an error; None when it is no use to try."""
    offered = conversation.tools.get(step.tool)
    if offered is None:
        return None
    tried = [finding for finding in conversation.findings if finding.tool == step.tool and finding.failed]
    arguments = {name: value for name, value in step.arguments.items() if name in offered.parameters}
    for failed in tried[:2]:
        arguments = _mended(arguments, failed)
    if len(tried) > 2 or not offered.required <= set(arguments):
        return None
    if any(dict(finding.arguments) == arguments for finding in conversation.findings if finding.tool == step.tool):
        return None
    why = f"{step.why} I try again, differently.".lstrip() if tried else step.why
    return Step(step.tool, arguments, why)


def _mended(arguments: dict[str, Any], failed: Finding) -> dict[str, Any]:
    """The arguments with what the error says is wrong put right or left out."""
    result = failed.result
    if "channel_names" in arguments and isinstance(result.get("available_channels"), list):
        there = [str(available_channel) for available_channel in result["available_channels"]]
        wanted = [channel_name for channel_name in arguments["channel_names"] if channel_name in there]
        near = [str(name) for name in result.get("did_you_mean") or [] if str(name) in there]
        return {**arguments, "channel_names": wanted or near or there[:3]}
    wrong = [name for name in arguments if name in failed.error]
    if "available_artifacts" in result:
        wrong.append("artifact_id")
    if "available_labels" in result or "labels_with_reference" in result:
        wrong.append("labels")
    if "available_positions" in result or "positions" in failed.error:
        wrong.append("position")
    return {name: value for name, value in arguments.items() if name not in wrong}


def window_of(conversation: Conversation, asked: Asked) -> str:
    """The artifact to look at: the narrowed one where the question asks for it."""
    if asked.only:
        for finding in reversed(conversation.of("select_channels")):
            if finding.result.get("artifact_id"):
                return str(finding.result["artifact_id"])
    return SESSION
