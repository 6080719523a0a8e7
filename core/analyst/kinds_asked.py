"""Questions of other kinds than that for the activity: how the analyst knows them, and what it measures for each.

A question's kind is read from its own words, like everything else: nothing but the request is known here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from core.analyst.conversation import Conversation, Finding, Number
from core.analyst.looks import SESSION, tried
from core.analyst.manner import Manner, slipped
from core.analyst.phrases import phrase
from core.analyst.questions import Asked
from core.analyst.reasons import WHY
from core.analyst.steps import Step
from core.thread.kind_truths import UNMEASURED, Unmeasured
from core.thread.kinds import DECLARED
from core.thread.scoring import ACTIVITY, FORM
from tools.results import MOTION

COMPARING = frozenset(("compare_to_reference", "nearest_examples", "look_up_ranges"))
"""Tools that take the labels to compare with."""
WIDE = 20
"""Similar sessions that are looked at to say how sure one can be."""
_HEAD, _, _TAIL = FORM.partition("{form}")
_ALIKE = re.compile(r"(\d+(?:\.\d+)?) to (\d+(?:\.\d+)?) s\b")


def kind_asked(conversation: Conversation) -> str:
    """The kind of the question, by the form that it asks the final answer in; the activity where it asks for none."""
    _, marked, form = conversation.question.partition(_HEAD)
    if not marked:
        return ACTIVITY
    for kind in DECLARED:
        fixed = kind.form.partition("{")[0]
        if fixed and form.startswith(fixed):
            return kind.name
    return "unanswerable" if topic_of(conversation) is not None else ACTIVITY


def topic_of(conversation: Conversation) -> Unmeasured | None:
    """What is asked for that no channel measures; None where one may measure it."""
    form = conversation.question.partition(_HEAD)[2]
    told = " ".join(f"{channel.name} {channel.unit} {channel.description}" for channel in conversation.channels)
    for topic in UNMEASURED:
        if form.startswith(topic.wanted):
            return None if re.search(topic.measured_by, told.casefold().replace("_", " ")) else topic
    return None


def within(step: Step, kind: str, asked: Asked) -> Step:
    """A comparison among the two labels that a question leaves; any other step as it is."""
    if kind != "choice" or step.tool not in COMPARING or "labels" in step.arguments:
        return step
    return Step(step.tool, {**step.arguments, "labels": list(asked.options)}, step.why)


def own_steps(kind: str, conversation: Conversation, manner: Manner, draw_of: Draws) -> list[Step]:
    """The next calls for a kind that has a way of its own; empty when it is time to answer, or has none."""
    plan = _PLANS.get(kind)
    steps = plan(conversation, draw_of) if plan else []
    if not steps or conversation.findings or not manner.slip or "artifact_id" not in steps[0].arguments:
        return steps
    first = steps[0]
    slip = slipped(first.arguments, manner, conversation, draw_of("now"))
    return [Step(first.tool, slip, first.why), *steps[1:]]


Draws = Callable[[str], random.Random]


def spans_asked(conversation: Conversation) -> tuple[tuple[float, float], ...]:
    """The two stretches that a question sets side by side, in seconds."""
    spans = dict.fromkeys((float(start), float(end)) for start, end in _ALIKE.findall(conversation.question))
    return tuple(spans)[:2]


def stretch_findings(conversation: Conversation) -> list[tuple[tuple[float, float], Finding]]:
    """The channels' statistics of each stretch that was cut out, in the order of the question."""
    cut = {
        str(finding.result.get("artifact_id")): (float(start), float(end))
        for finding in conversation.of("filter_by_time")
        if isinstance(start := finding.arguments.get("start_sec"), float)
        and isinstance(end := finding.arguments.get("end_sec"), float)
    }
    told = {
        cut[artifact]: finding
        for finding in conversation.of("show_channel_stats")
        if (artifact := str(finding.arguments.get("artifact_id"))) in cut
    }
    return [(span, told[span]) for span in spans_asked(conversation) if span in told]


def session_span(conversation: Conversation) -> tuple[Number, Number] | None:
    """Start and end of the whole session, in seconds, as a result states them."""
    for finding in conversation.findings:
        span = finding.result.get("window_sec")
        if not finding.failed and isinstance(span, list) and len(span) == 2 and finding.tool != "filter_by_time":
            return span[0], span[1]
    return None


def sensor_of_change(conversation: Conversation) -> str:
    """The sensor whose samples are looked at for a change: an accelerometer where there is one."""
    motion = [sensor for sensor in conversation.sensors if sensor.kind in MOTION] or list(conversation.sensors)
    kinds = sorted(motion, key=lambda sensor: (sensor.kind != "acceleration", not sensor.is_triad))
    return kinds[0].name if kinds else ""


def _stats(draw_of: Draws) -> Step:
    return Step("show_channel_stats", {"artifact_id": SESSION}, phrase(WHY["show_channel_stats"], draw_of("now")))


def _resting(conversation: Conversation, draw_of: Draws) -> list[Step]:
    if not tried(conversation, "show_channel_stats"):
        return [_stats(draw_of)]
    if not tried(conversation, "detect_periodicity") and draw_of("rhythm").random() < 0.6:
        return [Step("detect_periodicity", {"artifact_id": SESSION}, phrase(WHY["detect_periodicity"], draw_of("now")))]
    return []


def _steps(conversation: Conversation, draw_of: Draws) -> list[Step]:
    if not tried(conversation, "show_channel_stats"):
        return [_stats(draw_of)]
    if not tried(conversation, "count_steps"):
        why = phrase(
            "[Steps are|A step is] a push of the body upwards, so I [count the peaks|have the peaks counted] of that.|"
            "[To count steps|For a count] I take the peaks of the movement up and down[, and how evenly they come|].",
            draw_of("now"),
        )  # fmt: skip
        return [Step("count_steps", {"artifact_id": SESSION}, why)]
    if not tried(conversation, "detect_periodicity") and draw_of("rhythm").random() < 0.6:
        why = "[A cadence|The pace] [has to|should] bear the count out[, so I measure it|; I check it]."
        return [Step("detect_periodicity", {"artifact_id": SESSION}, phrase(why, draw_of("now")))]
    return []


def _change(conversation: Conversation, draw_of: Draws) -> list[Step]:
    if not tried(conversation, "segment_session"):
        why = phrase(
            "[A change of activity|Another activity] shows as a shift of [level or spread|strength], so I "
            "[look for one|have the session cut where it shifts].|"
            "[First I ask|I begin by asking] where the session [changes|shifts].",
            draw_of("now"),
        )  # fmt: skip
        return [Step("segment_session", {"artifact_id": SESSION}, why)]
    changes, span = changes_seen(conversation), session_span(conversation)
    if len(changes) == 1 or span is None or tried(conversation, "show_samples"):
        return []
    seen = "[More than one time is named|There are several candidates]" if changes else (
        "[No shift of strength is found|The strength of the movement does not shift], but a posture can change without "
        "one"
    )  # fmt: skip
    why = phrase(
        f"{seen}[, so|;] I [look at the samples|read the samples over the whole length] myself.", draw_of("now")
    )
    sensor = sensor_of_change(conversation)
    arguments = {"start_sec": float(span[0]), "end_sec": float(span[1])} | (
        {"channel_names": [sensor]} if sensor else {}
    )
    return [Step("show_samples", arguments, why)]


def changes_seen(conversation: Conversation) -> list[Number]:
    """The times at which `segment_session` says that something changes."""
    for finding in conversation.of("segment_session"):
        changes = finding.result.get("changes_sec")
        return [time for time in changes if isinstance(time, Number)] if isinstance(changes, list) else []
    return []


def _compare(conversation: Conversation, draw_of: Draws) -> list[Step]:
    cut = {
        (finding.arguments.get("start_sec"), finding.arguments.get("end_sec")): str(finding.result.get("artifact_id"))
        for finding in conversation.of("filter_by_time")
    }
    spans = spans_asked(conversation)
    why = phrase(
        "[I cut out the two stretches|Each stretch becomes a window of its own], to [look at each apart|measure "
        "both in the same way].", draw_of("now"),
    )  # fmt: skip
    missing = [span for span in spans if span not in cut]
    if missing:
        return [
            Step("filter_by_time", {"start_sec": start, "end_sec": end, "artifact_id": SESSION}, "" if number else why)
            for number, (start, end) in enumerate(missing)
        ]
    told = {finding.arguments.get("artifact_id") for finding in conversation.of("show_channel_stats")}
    why = phrase(
        "[Now the spread of both|What counts is the spread of each|I take the spread in both].", draw_of("now")
    )
    return [
        Step("show_channel_stats", {"artifact_id": cut[span]}, "" if number else why)
        for number, span in enumerate(spans)
        if cut[span] not in told
    ]


def _fault(conversation: Conversation, draw_of: Draws) -> list[Step]:
    if not tried(conversation, "check_signal"):
        why = phrase(
            "[A sensor that fails|A broken sensor] sticks, drops out or is cut off; I [check|have every sensor "
            "checked for] [that|these signs].|"
            "[Before anything else|First] I check [whether the samples can be trusted|the signals for what a fault "
            "looks like].", draw_of("now"),
        )  # fmt: skip
        return [Step("check_signal", {"artifact_id": SESSION}, why)]
    if not tried(conversation, "show_channel_stats") and draw_of("stats").random() < 0.5:
        why = "[Level and spread|The numbers of each channel] should [agree with that|bear that out]; I look at them."
        return [Step("show_channel_stats", {"artifact_id": SESSION}, phrase(why, draw_of("now")))]
    return []


def _certainty(conversation: Conversation, draw_of: Draws) -> list[Step]:
    """After what is done for the activity: the votes of many similar sessions, where such are offered."""
    if any(finding.arguments.get("k") == WIDE for finding in conversation.of("nearest_examples")):
        return []
    why = phrase(
        "[How sure one can be|Certainty] shows in how far similar sessions agree, so I [ask|look at] [twenty|many] of "
        "them.", draw_of("now"),
    )  # fmt: skip
    return [Step("nearest_examples", {"k": WIDE, "artifact_id": SESSION}, why)]


def _unanswerable(conversation: Conversation, draw_of: Draws) -> list[Step]:
    if tried(conversation, "show_channel_stats"):
        return []
    why = phrase(
        "[I see|First I see|Let me see] what the channels [hold|measure][, and whether any of it bears on the question|"
        " before I say whether that can be answered].", draw_of("now"),
    )  # fmt: skip
    return [Step("show_channel_stats", {"artifact_id": SESSION}, why)]


_PLANS: Mapping[str, Callable[[Conversation, Draws], list[Step]]] = {
    "resting": _resting,
    "steps": _steps,
    "change": _change,
    "compare": _compare,
    "fault": _fault,
    "certainty": _certainty,
    "unanswerable": _unanswerable,
}
OF_THEIR_OWN = frozenset(_PLANS) - {"certainty"}
"""Kinds for which nothing is done that is done for the activity."""
