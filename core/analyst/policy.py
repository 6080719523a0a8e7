"""What the built-in analyst does next: rules on what the request holds.

It is a fallback, a teacher of the format and a baseline to beat, not a model. Where several ways are equally good a
generator decides that is seeded by the request's seed and its messages, so a request is answered the same each time.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.analyst.conclusion import conclude
from core.analyst.conversation import ASKS_FOR_A_QUESTION, Conversation, Finding, read_request
from core.analyst.eliminating import asking_steps, is_measuring, is_short, measuring_steps, reasoned
from core.analyst.evidence import closeness_to, votes_for
from core.analyst.impressions import first_impression
from core.analyst.kind_answers import EXPLAINED, OWN_ANSWERS, conclude_kind
from core.analyst.kinds_asked import OF_THEIR_OWN, kind_asked, own_steps, within
from core.analyst.looks import LOOKS, SESSION, looking, tried
from core.analyst.manner import AGAIN, Manner, early_comparison, manner_of
from core.analyst.phrases import listed, phrase
from core.analyst.questions import Asked, propose_question, read_question
from core.analyst.reasons import WHY
from core.analyst.steps import Step, possible, window_of
from core.analyst.words import explain
from tools.builtin import BUILTIN
from tools.sensors import positions_of

MAX_TURNS = 9
"""Turns with calls after which it answers with what it has: a run allows ten unless told."""

_DESCRIBING = ("show_session_stats", "select_channels", "filter_by_time")
"""Tools whose results are told of as they are, also where measurements are told of beside the ranges."""
_KNOWN = frozenset(tool.name for tool in BUILTIN)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call to be written."""

    name: str
    arguments: str
    """JSON."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An assistant message to be written."""

    text: str
    calls: tuple[Call, ...] = ()
    manner: str = ""
    """How the thread is gone about, in words."""


def reply_to(body: Mapping[str, Any], seed: int) -> Reply:
    """The assistant message that answers a Chat Completions request."""
    conversation = read_request(body)
    if conversation.system.lstrip().startswith(ASKS_FOR_A_QUESTION):
        return Reply(propose_question(conversation, _generator(f"{seed}\0{conversation.transcript}")))
    # the way of a whole thread hangs on its opening, the choices of a turn on all that was said
    way = f"{seed}\0{conversation.opening}"
    draw = _generator(f"{seed}\0{conversation.transcript}")
    asked = read_question(conversation)
    manner = manner_of(_drawn(way, "manner"))
    told = manner.told(measuring=is_measuring(conversation))
    kind = kind_asked(conversation)
    if kind == "choice" and len(asked.options) > 1:
        conversation = replace(conversation, labels=asked.options)
    steps = [] if _must_answer(conversation) else _next_steps(conversation, asked, kind, manner, way, draw)
    if not steps:
        window = window_of(conversation, asked)
        if kind in OWN_ANSWERS:
            return Reply(conclude_kind(kind, conversation, draw), manner=told)
        return Reply(conclude(conversation, asked, window, draw, revises=manner.states_impressions), manner=told)
    return Reply(_spoken(conversation, asked, kind, manner, steps, draw), tuple(_call(step) for step in steps), told)


def _generator(text: str) -> random.Random:
    return random.Random(text.encode(errors="surrogatepass"))  # a message can hold a lone surrogate


def _drawn(way: str, what: str) -> random.Random:
    """The generator of one decision on a thread's way: the same at each of its turns."""
    return _generator(f"{way}\0{what}")


def _must_answer(conversation: Conversation) -> bool:
    return conversation.turns >= MAX_TURNS or "final answer" in conversation.nudge.lower()


def _call(step: Step) -> Call:
    return Call(step.tool, json.dumps(dict(step.arguments), ensure_ascii=False))


def _spoken(
    conversation: Conversation, asked: Asked, kind: str, manner: Manner, steps: Sequence[Step], draw: random.Random
) -> str:
    """What the last results showed, and why these calls come next."""
    last = [finding for finding in conversation.findings if finding.turn == conversation.turns - 1]
    drawn = ""
    if kind in OF_THEIR_OWN:
        last = [finding for finding in last if finding.failed or finding.tool in EXPLAINED]
    elif is_measuring(conversation):
        last = [finding for finding in last if finding.failed or finding.tool in _DESCRIBING]
        drawn = reasoned(conversation, window_of(conversation, asked), draw)
    elif manner.states_impressions:
        drawn = first_impression(conversation, draw)
    parts = [sentence for sentence in (*(explain(finding, draw) for finding in last), drawn) if sentence]
    if asked.absent and conversation.turns == 1:
        parts.append("The session has none of the sensors that the question names, so I go by those it has.")
    if asked.only and any(step.tool == "select_channels" for step in steps):
        names = listed([sensor.name for sensor in asked.only][:4])
        parts.append(f"The question is limited to {names}, so I look at nothing else.")
    parts += [step.why for step in steps if step.why]
    return " ".join(parts)


def _next_steps(
    conversation: Conversation, asked: Asked, kind: str, manner: Manner, way: str, draw: random.Random
) -> list[Step]:
    """The call or calls of the next turn; empty when it is time to answer."""
    window = window_of(conversation, asked)

    def for_its_kind() -> list[Step]:
        return own_steps(kind, conversation, manner, lambda what: draw if what == "now" else _drawn(way, what))

    evidence = (
        (
            lambda: measuring_steps(conversation, asked, manner, window, draw),
            lambda: asking_steps(conversation, asked, window, draw),
        )
        if is_measuring(conversation)
        else (
            lambda: looking(conversation, asked, manner, window, _drawn(way, "looking"), draw),
            lambda: _comparing(conversation, window, way, draw),
        )
    )
    whole = (
        lambda: _mending(conversation, draw),
        lambda: _overview(conversation, asked, way, draw),
        lambda: _narrowing(conversation, asked),
        lambda: _comparing_first(conversation, manner, window, draw),
        lambda: _own_tool(conversation, way),
        *evidence,
        for_its_kind,
    )
    plans = (whole[0], for_its_kind) if kind in OF_THEIR_OWN else whole
    for plan in plans:
        limited = [within(step, kind, asked) for step in plan()]
        steps = [mended for step in limited if (mended := possible(conversation, step)) is not None]
        if steps:
            return steps
    return []


def _mending(conversation: Conversation, draw: random.Random) -> list[Step]:
    """The last turn's calls that failed, where their errors say what would have been right."""
    failed = [finding for finding in conversation.findings if finding.failed and finding.turn == conversation.turns - 1]
    return [Step(finding.tool, finding.arguments, phrase(AGAIN, draw)) for finding in failed]


def _comparing_first(conversation: Conversation, manner: Manner, window: str, draw: random.Random) -> list[Step]:
    """Other people's sessions before the looks at this one, where that is the manner."""
    if not manner.compares_first or tried(conversation, "compare_to_reference", *LOOKS):
        return []
    return [Step("compare_to_reference", {"artifact_id": window}, early_comparison(draw))]


def _overview(conversation: Conversation, asked: Asked, way: str, draw: random.Random) -> list[Step]:
    """First of all: what there is."""
    name = {"dataset_name": conversation.dataset} if conversation.dataset else {}
    manner = _drawn(way, "overview").random()
    stats = Step(
        "show_channel_stats",
        {"artifact_id": SESSION},
        phrase(WHY["show_channel_stats"], draw),
    )
    if not conversation.labels and not tried(conversation, "show_session_stats"):
        return [Step("show_session_stats", name, "First I need to know which activities there are to choose from.")]
    if tried(conversation, "select_channels"):
        return []
    if asked.only:  # a session may lack some of the dataset's sensors
        if tried(conversation, stats.tool) or len(positions_of(conversation.channels)) < 2:
            return []
        return [Step(stats.tool, stats.arguments, "First I see which of the sensors in question this session has.")]
    has_overview = "show_session_stats" in conversation.tools
    if not conversation.findings and manner < 0.25 and has_overview:
        return [
            Step("show_session_stats", name, phrase(WHY["show_session_stats"], draw)),
            Step(stats.tool, stats.arguments, "At the same time I look at the signals' level and spread."),
        ]
    if not conversation.findings and manner < 0.45 and has_overview:
        return [
            Step("show_channel_stats", name, "I need to know which sensors there are before I choose what to look at.")
        ]
    seen = any("columns" in finding.result for finding in conversation.of("show_channel_stats"))
    if not seen and (manner < 0.9 or is_short(conversation)):
        return [stats]
    return []


def _narrowing(conversation: Conversation, asked: Asked) -> list[Step]:
    """To the sensors that the question is limited to."""
    if not asked.only or conversation.of("select_channels"):
        return []
    there = {channel.name for channel in conversation.present or conversation.channels}
    names = [name for sensor in asked.only for name in sensor.names if name in there]
    return [
        Step(
            "select_channels",
            {"channel_names": names, "artifact_id": SESSION},
            "I take these channels out into a window of their own.",
        )
    ]


def _own_tool(conversation: Conversation, way: str) -> list[Step]:
    """A person's own tool that needs no arguments is worth a look, once the session has been looked at."""
    for tool in sorted(conversation.tools):
        offered = conversation.tools[tool]
        if (
            tool not in _KNOWN
            and not offered.required
            and not tried(conversation, tool)
            and _drawn(way, tool).random() < 0.5
        ):
            arguments = {"artifact_id": SESSION} if "artifact_id" in offered.parameters else {}
            return [Step(tool, arguments, f"The tool {tool.replace('_', ' ')} may add something, so I ask it as well.")]
    return []


def _comparing(conversation: Conversation, window: str, way: str, draw: random.Random) -> list[Step]:
    """How other people's sessions compare, and a second opinion where the first leaves room for doubt."""
    plan = _drawn(way, "comparing")
    k, at_once, second_opinion = plan.choice((5, 7, 9)), plan.random() < 0.25, plan.random() < 0.6
    compare = Step("compare_to_reference", {"artifact_id": window}, phrase(WHY["compare_to_reference"], draw))
    near = Step("nearest_examples", {"k": k, "artifact_id": window}, phrase(WHY["nearest_examples"], draw))
    compared, asked_near = conversation.of("compare_to_reference"), conversation.of("nearest_examples")
    if not compared and not asked_near and at_once:
        return [compare, near]
    if not compared and compare.tool in conversation.tools and len(_failed(conversation, compare.tool)) < 2:
        return [compare]
    closeness = closeness_to(compared)
    doubtful = max(closeness.values(), default=0.0) < 0.97
    if not asked_near and (doubtful or second_opinion):
        return [near]
    votes = votes_for(asked_near)
    unsettled = bool(votes and closeness) and (
        max(votes, key=lambda label: votes[label]) != max(closeness, key=lambda label: closeness[label])
        or max(votes.values()) < 0.6
    )
    if unsettled and len(asked_near) == 1:
        return [
            Step(
                "nearest_examples",
                {"k": 20, "artifact_id": window},
                "The findings do not agree yet, so I look at a wider neighbourhood.",
            )
        ]
    return []


def _failed(conversation: Conversation, tool: str) -> list[Finding]:
    return [finding for finding in conversation.findings if finding.tool == tool and finding.failed]
