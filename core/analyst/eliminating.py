"""What comes next where the evidence is measured, and the words for it: which labels are left, and what parts them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from core.analyst.conversation import Conversation
from core.analyst.elimination import LOOK_UP, Evidence, Standing, deciding, evidence_in, not_measured, standing_of
from core.analyst.evidence import MIN_SESSIONS, Verdict, is_moving
from core.analyst.manner import Manner, slipped
from core.analyst.measurement_words import measurement_words
from core.analyst.phrases import label_words, listed, phrase
from core.analyst.questions import Asked, is_still
from core.analyst.steps import Step
from tools.registry import SESSION
from tools.results import MOTION
from tools.sensors import positions_of, sensors_of

HIGH, MEDIUM = 6.0, 3.0
"""Margins from which confidence is high, and medium; measured on held-out people, see docs/evidence.md."""
OPEN_LABELS, OPEN_BELOW = 7, 5.0
"""With so many labels left and a smaller margin than this, which one it is cannot be told: one in seven guesses would
be right. Chosen on held-out people, see docs/evidence.md."""
MANY_LABELS = 8
"""With more labels than this a look-up has room for few measurements, and two more are looked up beside it."""
SMALLEST = 4
"""Labels of the smallest group that is looked up: each has half as many as the one before."""
ROUNDS = 2
"""Turns in which pairs are looked up at most."""
MOST_CALLS = 4
"""Measuring calls of one turn."""


def is_measuring(conversation: Conversation) -> bool:
    """Whether the request offers ranges to look up and nothing that ranks the labels."""
    return LOOK_UP in conversation.tools and not {"compare_to_reference", "nearest_examples"} & set(conversation.tools)


def measuring_steps(
    conversation: Conversation, asked: Asked, manner: Manner, window: str, draw: random.Random
) -> list[Step]:
    """The calls that give what was looked up and not measured yet; with many labels, what is looked up beside them."""
    evidence = evidence_in(conversation, window)
    named = _not_shown(conversation)
    missing = [name for name in (*not_measured(evidence), *named) if name not in evidence.values]
    wanted = dict.fromkeys((name.split("/")[0], _position_of(conversation, name)) for name in missing)
    steps: list[Step] = []
    for tool, position in wanted:
        names = [name for name in missing if name.startswith(f"{tool}/")]
        why = phrase(
            "[{tool} gives {names}|For {names} I call {tool}|I call {tool}, which gives {names}].",
            draw, tool=tool, names=listed([measurement_words(name) for name in names[:2]]),
        )  # fmt: skip
        arguments = {"artifact_id": window} | ({"position": position} if position else {})
        if not any(dict(finding.arguments) == arguments for finding in conversation.findings if finding.tool == tool):
            steps.append(Step(tool, arguments, why))
    steps = steps[:MOST_CALLS]
    if steps and manner.slip and window == SESSION and not any(finding.failed for finding in conversation.findings):
        first = steps[0]
        steps[0] = Step(first.tool, slipped(first.arguments, manner, conversation, draw), first.why)
    if steps and named and len(evidence.asked) == 1:
        why = "[Beside them|At once|In one go] I look up [the next two|two more] of what was named."
        features = {"features": list(named[:2])}
        steps.append(Step(LOOK_UP, features | _labels(conversation), phrase(why, draw)))
    return steps


def asking_steps(conversation: Conversation, asked: Asked, window: str, draw: random.Random) -> list[Step]:
    """The next look-up: of all labels first, then of ever fewer that are left, then of the leading ones in pairs."""
    evidence = evidence_in(conversation, window)
    of_sensors = _sensors(conversation, asked)
    if not evidence.asked:
        if any(finding.tool == LOOK_UP for finding in conversation.findings):
            return []
        fitting = _fitting(conversation)
        if fitting and not _labels(conversation):
            why = phrase(
                "[Open are|Left are|What fits that is] {some}[, so|:] [I look up|I ask] what parts [these|them].",
                draw, some=listed([label_words(label) for label in fitting]),
            )  # fmt: skip
            return [Step(LOOK_UP, {"labels": fitting} | of_sensors, why)]
        why = phrase(
            "[All {count}labels are open|Any of the {count}labels is possible][ so far|]. [I look up|I ask for] the "
            "measurements that [part them|tell them apart] in other people's sessions.",
            draw, count=_counted(conversation.labels),
        )  # fmt: skip
        return [Step(LOOK_UP, _labels(conversation) | of_sensors, why)]
    standing = standing_of(evidence, conversation.labels)
    if standing is None:
        return []
    groups = [labels for labels in evidence.asked if len(labels) > 2]
    leading = [label for label in standing.left if not groups or label in groups[-1]]
    size = max((len(groups[-1]) + 1) // 2, SMALLEST) if groups and len(groups[-1]) > SMALLEST + 1 else 0
    size = 0 if is_short(conversation) else size
    if len(leading) > 2 and size:
        some = leading[:size]
        why = phrase(
            "[Closest are|Of those that are left I keep|I go on with] {some}[, so|:] [I look up|I ask] what parts "
            "[these|them][ best|].",
            draw, some=listed([label_words(label) for label in some]),
        )  # fmt: skip
        return [Step(LOOK_UP, {"labels": some} | of_sensors, why)]
    pairs = _pairs(conversation, evidence, leading)
    return [
        Step(LOOK_UP, {"labels": list(pair)} | of_sensors, "" if at else _pair_words(pair, len(pairs), draw))
        for at, pair in enumerate(pairs)
    ]


def _pairs(conversation: Conversation, evidence: Evidence, leading: Sequence[str]) -> list[tuple[str, str]]:
    """The pairs of the leading labels that are set side by side next: up to three at once, then one more."""
    rounds = {
        finding.turn
        for finding in conversation.of(LOOK_UP)
        if len(labels := finding.arguments.get("labels") or ()) == 2 and set(labels) != set(conversation.labels)
    }
    if is_short(conversation) and any(len(labels) <= SMALLEST for labels in evidence.asked):
        return []
    if len(rounds) >= (1 if is_short(conversation) else ROUNDS):
        return []
    every = [(leading[at], leading[to]) for at, to in ((0, 1), (0, 2), (1, 2)) if to < len(leading)]
    new = [pair for pair in every if frozenset(pair) not in evidence.asked]
    return [pair for pair in new if leading[0] in pair][:1] if rounds or is_short(conversation) else new


def _fitting(conversation: Conversation) -> list[str]:
    """Where look-ups are short and movement was measured: the labels that it leaves, the only ones to look up; empty
    where it leaves one, or all."""
    moving = is_moving(conversation) if is_short(conversation) else None
    fitting = [label for label in conversation.labels if moving is not None and is_still(label) != moving]
    return fitting if 1 < len(fitting) < len(conversation.labels) else []


def is_short(conversation: Conversation) -> bool:
    """Whether look-ups are short: a thread in which they are has room for one, or two where there are many labels."""
    offered = conversation.tools.get(LOOK_UP)
    return offered is not None and "features" not in offered.parameters


def _pair_words(pair: Sequence[str], pairs: int, draw: random.Random) -> str:
    return phrase(
        "[Ahead are|Leading are|The two to be parted are] {best} and {rival}[, so|:] [I look up|I ask] what parts "
        "[these two|the two][ best|].",
        draw, best=label_words(pair[0]), rival=label_words(pair[1]),
    ) + (" I set the next ones side by side as well." if pairs > 1 else "")  # fmt: skip


def _labels(conversation: Conversation) -> dict[str, Any]:
    """The labels to name in a look-up of all: where two are in question, those."""
    return {"labels": list(conversation.labels)} if len(conversation.labels) == 2 else {}


def _sensors(conversation: Conversation, asked: Asked) -> dict[str, Any]:
    """The sensors to name in a look-up: those that the question allows, or that the session has where it lacks some."""
    there = sensors_of(conversation.present)
    names = [sensor.name for sensor in asked.only or there if sensor.kind in MOTION]
    return {"sensors": names} if names and (asked.only or len(there) < len(conversation.sensors)) else {}


def _not_shown(conversation: Conversation) -> list[str]:
    """The measurements that the first look-up names and has no room for, with so many labels that few are shown."""
    looked_up = conversation.of(LOOK_UP)
    named = looked_up[0].result.get("features_not_shown") if looked_up else None
    many = len(conversation.labels) > MANY_LABELS
    return [str(name) for name in named[:2]] if many and isinstance(named, list) else []


def reasoned(conversation: Conversation, window: str, draw: random.Random) -> str:
    """What the last measurements came to: the strongest beside both labels' ranges, and which labels are out."""
    last = [finding for finding in conversation.findings if finding.turn == conversation.turns - 1]
    evidence = evidence_in(conversation, window)
    standing = standing_of(evidence, conversation.labels)
    if standing is None or all(finding.failed or finding.tool == LOOK_UP for finding in last):
        return ""
    speaking = deciding(evidence, standing.best, standing.rival) if standing.rival else []
    told = [_compared(evidence, name, standing, draw) for name in speaking[:1]]
    return " ".join([*told, _left(standing, draw)])


def rests_on(conversation: Conversation, window: str, draw: random.Random) -> str:
    """One sentence with the measurements that carry the answer; empty where none does."""
    evidence = evidence_in(conversation, window)
    standing = standing_of(evidence, conversation.labels)
    if standing is None:
        return ""
    speaking = deciding(evidence, standing.best, standing.rival) if standing.rival else [*evidence.values]
    best = label_words(standing.best)
    cited = [
        f"{measurement_words(name)} at {evidence.values[name]} ({best}: {_span(evidence, name, standing.best)})"
        for name in speaking[: draw.choice((1, 2, 2, 3))]
    ]
    if not cited:
        return ""
    return phrase(
        "[This rests on|I rest this on|What carries it is|My grounds are] {cited}.", draw, cited=listed(cited)
    )


def eliminated(conversation: Conversation, window: str) -> Verdict | None:
    """What the elimination comes to; None while nothing that was measured has a range."""
    standing = standing_of(evidence_in(conversation, window), conversation.labels)
    if standing is None:
        return None
    confidence = "high" if standing.margin >= HIGH else "medium" if standing.margin >= MEDIUM else "low"
    if _is_thin(conversation):
        confidence = "low"
    is_open = len(standing.left) >= OPEN_LABELS and standing.margin < OPEN_BELOW
    return Verdict(
        standing.best, standing.rival, "low" if is_open else confidence,
        min(max(standing.margin / HIGH, 0.0), 1.0), left=standing.left if is_open else (),
    )  # fmt: skip


def _is_thin(conversation: Conversation) -> bool:
    reference = conversation.of(LOOK_UP)[0].result.get("reference")
    sessions = reference.get("sessions") if isinstance(reference, dict) else None
    return isinstance(sessions, float) and sessions < MIN_SESSIONS * len(conversation.labels)


def _position_of(conversation: Conversation, name: str) -> str:
    """Where the sensor of a measurement sits, where there are several positions and the tool asks which."""
    tool, _, rest = name.partition("/")
    offered = conversation.tools.get(tool)
    if offered is None or "position" not in offered.parameters or len(positions_of(conversation.channels)) < 2:
        return ""
    part = rest.split("/")[0]
    sensors = sensors_of(conversation.present or conversation.channels)
    return next((sensor.position for sensor in sensors if part.lstrip("|").startswith(sensor.name)), "")


def _compared(evidence: Evidence, name: str, standing: Standing, draw: random.Random) -> str:
    return phrase(
        "[I find {what} at {value}|Here {what} is {value}|I measure {value} for {what}]; {best} [lies at|has] {near}, "
        "{rival} [lies at|has] {far}.",
        draw, what=measurement_words(name), value=evidence.values[name], best=label_words(standing.best),
        near=_span(evidence, name, standing.best), rival=label_words(standing.rival),
        far=_span(evidence, name, standing.rival),
    )  # fmt: skip


def _left(standing: Standing, draw: random.Random) -> str:
    out = listed([label_words(label) for label in standing.out[-3:]]) + (
        " among others" if len(standing.out) > 3 else ""
    )
    if len(standing.left) == 1:
        return phrase("[That leaves {best} alone|Only {best} is left|Nothing but {best} fits].",
                      draw, best=label_words(standing.best))  # fmt: skip
    left = listed([label_words(label) for label in standing.left[:4]])
    ruled = phrase("[This rules out {out}|{out} can be left out][, and|;] ", draw, out=out) if standing.out else ""
    more = " and others" if len(standing.left) > 4 else ""
    text = f"{ruled}{left}{more} {phrase('[are left|stay possible|remain]', draw)}."
    return text[0].upper() + text[1:]


def _span(evidence: Evidence, name: str, label: str) -> str:
    low, _, high = evidence.ranges[name][label]
    return f"{low} to {high}"


def _counted(labels: Sequence[str]) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return f"{words[len(labels)]} " if len(labels) < len(words) else ""
