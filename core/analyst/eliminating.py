"""What comes next where the evidence is measured, and the words for it: which labels are left, and what parts them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from core.analyst.conversation import Conversation
from core.analyst.elimination import LOOK_UP, Evidence, Standing, deciding, evidence_in, not_measured, standing_of
from core.analyst.evidence import MIN_SESSIONS, Verdict
from core.analyst.phrases import label_words, listed, phrase
from core.analyst.questions import Asked
from core.analyst.steps import Step
from tools.measured import MEASURING
from tools.sensors import positions_of, sensors_of

HIGH, MEDIUM = 3.0, 1.2
"""Margins from which confidence is high, and medium; measured on held-out people, see docs/evidence.md."""
MANY_LABELS = 8
"""With more labels than this a look-up has no room for the measurements it names, and is made again in parts."""
PART = 6
"""Labels of such a part."""
PAIRS = 2
"""So many pairs are looked up at most."""
_TELLING = ("std", "jerk", "entropy", "strength", "body_rms", "share_vertical", "band_share[1]", "axis_x")


def is_measuring(conversation: Conversation) -> bool:
    """Whether the request offers ranges to look up and nothing that ranks the labels."""
    return LOOK_UP in conversation.tools and not {"compare_to_reference", "nearest_examples"} & set(conversation.tools)


def measuring_steps(conversation: Conversation, asked: Asked, window: str, draw: random.Random) -> list[Step]:
    """The calls that give what was looked up and not measured yet."""
    evidence = evidence_in(conversation, window)
    if asked.only and not evidence.values:
        tools = [tool.name for tool in MEASURING if tool.name not in ("correlate_channels", "estimate_orientation")]
        wanted = [(tool, "") for tool in tools[:3]]
    else:
        wanted = list(dict.fromkeys((name.split("/")[0], _position_of(conversation, name))
                                    for name in not_measured(evidence)))  # fmt: skip
    steps: list[Step] = []
    for tool, position in wanted[:3]:
        names = [name for name in not_measured(evidence) if name.startswith(f"{tool}/")]
        why = phrase(
            "[{tool} gives {names}|For {names} I call {tool}|I call {tool}, which gives {names}].",
            draw, tool=tool, names=listed([_words(name) for name in names[:2]]),
        ) if names else phrase("[I measure|I take] what {tool} gives.", draw, tool=tool)  # fmt: skip
        arguments = {"artifact_id": window} | ({"position": position} if position else {})
        if not any(dict(finding.arguments) == arguments for finding in conversation.findings if finding.tool == tool):
            steps.append(Step(tool, arguments, why))
    return steps


def asking_steps(conversation: Conversation, asked: Asked, window: str, draw: random.Random) -> list[Step]:
    """The next look-up: of all labels first, then of the two leading ones that were not set side by side."""
    evidence = evidence_in(conversation, window)
    features = _telling(evidence, asked)
    if asked.only and evidence.asked:  # all that was measured has been looked up
        return []
    if not evidence.asked:
        why = phrase(
            "[All {count}labels are open|Any of the {count}labels is possible][ so far|]. [I look up|I ask for] the "
            "measurements that [part them|tell them apart] in other people's sessions.",
            draw, count=_counted(conversation.labels),
        )  # fmt: skip
        return [Step(LOOK_UP, {"features": features} if features else {}, why)]
    first = conversation.of(LOOK_UP)[0].result.get("features_not_shown")
    if len(conversation.labels) > MANY_LABELS and len(evidence.asked) == 1 and isinstance(first, list) and first:
        return _in_parts(conversation.labels, [str(name) for name in first[:5]], draw)
    standing = standing_of(evidence, conversation.labels)
    if standing is None or sum(len(labels) == 2 for labels in evidence.asked) >= PAIRS:
        return []
    rivals = [label for label in standing.left[1:] if frozenset((standing.best, label)) not in evidence.asked]
    if not rivals:
        return []
    why = phrase(
        "[Ahead are|Leading are|The two to be parted are] {best} and {rival}[, so|:] [I look up|I ask] what parts "
        "[these two|the two][ best|].",
        draw, best=label_words(standing.best), rival=label_words(rivals[0]),
    )  # fmt: skip
    return [Step(LOOK_UP, {"labels": [standing.best, rivals[0]]}, why)]


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
        f"{_words(name)} at {evidence.values[name]} ({best}: {_span(evidence, name, standing.best)})"
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
    return Verdict(standing.best, standing.rival, confidence, min(max(standing.margin / HIGH, 0.0), 1.0))


def _is_thin(conversation: Conversation) -> bool:
    reference = conversation.of(LOOK_UP)[0].result.get("reference")
    sessions = reference.get("sessions") if isinstance(reference, dict) else None
    return isinstance(sessions, float) and sessions < MIN_SESSIONS * len(conversation.labels)


def _in_parts(labels: Sequence[str], features: list[str], draw: random.Random) -> list[Step]:
    """The measurements that the first look-up had no room for, for a few labels at a time."""
    parts = [list(labels[at : at + PART]) for at in range(0, len(labels), PART)]
    why = phrase(
        "[The others that were named|The rest of the measurements] I look up for a few labels at a time.", draw
    )
    return [Step(LOOK_UP, {"labels": part, "features": features}, "" if at else why) for at, part in enumerate(parts)]


def _telling(evidence: Evidence, asked: Asked) -> list[str]:
    """The measurements to ask about where the question is limited to some sensors."""
    if not asked.only:
        return []
    return [name for name in evidence.values if name.rsplit("/", 1)[-1] in _TELLING][:8]


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
        draw, what=_words(name), value=evidence.values[name], best=label_words(standing.best),
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


def _words(name: str) -> str:
    """A measurement as a noun phrase: `detect_periodicity/acc/cadence` is the cadence of acc."""
    _, _, rest = name.partition("/")
    part, _, key = rest.rpartition("/")
    return f"the {key} of {part}" if part else f"the correlation {key}"


def _counted(labels: Sequence[str]) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return f"{words[len(labels)]} " if len(labels) < len(words) else ""
