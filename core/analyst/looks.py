"""The looks at the movement itself: which tools measure it, in which order."""

from __future__ import annotations

import random
from typing import Any

from core.analyst.conversation import Conversation
from core.analyst.evidence import is_moving
from core.analyst.manner import Manner, bearing_out, slipped
from core.analyst.phrases import phrase
from core.analyst.questions import Asked
from core.analyst.reasons import WHY
from core.analyst.steps import Step
from tools.sensors import positions_of

SESSION = "session"
"""The artifact that is the whole session."""
LOOKS = (
    "detect_periodicity",
    "compute_spectrum",
    "estimate_orientation",
    "segment_session",
    "correlate_channels",
    "estimate_heart_rate",
)


def tried(conversation: Conversation, *tools: str) -> bool:
    """Whether one of these tools was called, whatever came of it."""
    return any(finding.tool in tools for finding in conversation.findings)


def looking(
    conversation: Conversation, asked: Asked, manner: Manner, window: str, plan: random.Random, draw: random.Random
) -> list[Step]:
    """One to three looks at the movement itself, chosen by whether there is any.

    Args:
        conversation: the request.
        asked: what limits the looks.
        manner: their order, and whether the first has a slip in it.
        window: the artifact to look at.
        plan: the same at each turn of a thread.
        draw: another at each turn.
    """
    done = [tool for tool in LOOKS if tried(conversation, tool)]
    wanted = plan.choice((1, 1, 2, 2, 3))
    swapped, heart, paired = plan.random() < 0.5, plan.random() < 0.5, plan.random() < 0.4
    if "compare_to_reference" not in conversation.tools and "nearest_examples" not in conversation.tools:
        wanted = 3
    if len(done) >= wanted:
        return []
    order = _order(conversation, asked, swapped, heart)
    if manner.shuffles:
        plan.shuffle(order)
    left = [tool for tool in order if tool not in done and tool in conversation.tools]
    together = 2 if wanted - len(done) > 1 and paired else 1
    places = positions_of(conversation.present)
    position = draw.choice(places) if len(places) > 1 and window == SESSION and draw.random() < 0.5 else None
    steps: list[Step] = []
    for tool in left[:together]:
        arguments: dict[str, Any] = {"artifact_id": window}
        if position and tool != "estimate_heart_rate":
            arguments["position"] = position
        steps.append(Step(tool, arguments, phrase(WHY[tool], draw)))
    return steps if done or not steps else [_first_look(conversation, manner, steps[0], draw), *steps[1:]]


def _first_look(conversation: Conversation, manner: Manner, step: Step, draw: random.Random) -> Step:
    """The first look at the movement, which may have a slip in it, or be there to bear out a comparison."""
    bears_out = tried(conversation, "compare_to_reference")
    why = f"{bearing_out(draw)} {step.why}" if bears_out else step.why
    slips = manner.slip and step.tool != "estimate_heart_rate" and step.arguments["artifact_id"] == SESSION
    arguments = slipped(step.arguments, manner, conversation, draw) if slips else step.arguments
    return Step(step.tool, arguments, why)


def _order(conversation: Conversation, asked: Asked, swapped: bool, heart: bool) -> list[str]:
    """The looks that would tell something, the most telling first."""
    moving = is_moving(conversation)
    order = ["detect_periodicity", "compute_spectrum", "segment_session", "correlate_channels", "estimate_orientation"]
    if moving is False:
        order = ["estimate_orientation", "segment_session", "detect_periodicity", "compute_spectrum"]
    if moving and swapped:
        order[0], order[1] = order[1], order[0]
    if any(sensor.kind in ("heart_rate", "ecg") for sensor in asked.only or conversation.sensors) and heart:
        order.insert(1, "estimate_heart_rate")
    if asked.only and all(sensor.kind != "acceleration" for sensor in asked.only):
        order.remove("estimate_orientation")  # gravity shows in nothing else
    return order
