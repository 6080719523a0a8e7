"""The last message: what the findings come to, how sure that is, and the label."""

from __future__ import annotations

import random

from core.analyst.conversation import Conversation, Finding
from core.analyst.evidence import Verdict, is_moving, weigh
from core.analyst.questions import Asked, is_still
from core.analyst.words import explain, label_words, listed, recall

_TELLING = (
    "compare_to_reference",
    "nearest_examples",
    "detect_periodicity",
    "estimate_orientation",
    "compute_spectrum",
)


def conclude(conversation: Conversation, asked: Asked, draw: random.Random) -> str:
    """The final message, with its two closing lines."""
    verdict = weigh(conversation, draw)
    last = [finding for finding in conversation.findings if finding.turn == conversation.turns - 1]
    parts = [text for finding in last if (text := explain(finding, draw))]
    parts.append(_summary(conversation, verdict, last, draw))
    parts.append(_answer(asked, verdict, draw))
    body = " ".join(part for part in parts if part)
    return f"{body}\n\nConfidence: {verdict.confidence}\nFinal Answer: {verdict.label}"


def _summary(conversation: Conversation, verdict: Verdict, last: list[Finding], draw: random.Random) -> str:
    good = [finding for finding in conversation.findings if not finding.failed]
    if not good:
        return (
            "I have no result to go by: without a tool that answers I cannot see anything of this session, "
            "so what follows is a guess among the labels."
        )
    earlier = [finding for finding in good if finding not in last and finding.tool in _TELLING]
    earlier.sort(key=lambda finding: _TELLING.index(finding.tool))
    recalled = recall(earlier[0], draw) if earlier and draw.random() < 0.7 else ""
    if not verdict.reference and not verdict.neighbours:
        moving = is_moving(conversation)
        about = "what was measured shows movement" if moving else "the signals are those of somebody at rest"
        if moving is None:
            about = "what was measured does not tell one activity from another"
        limit = f"Nothing here compares the session with known activities; {about}, and I can say no more."
        return f"{recalled} {limit}".strip()
    if verdict.agree is False:
        doubt = (
            f"The statistics point to {label_words(verdict.reference)}, the nearest examples to "
            f"{label_words(verdict.neighbours)}; I weigh both, and the doubt remains."
        )
        return f"{recalled} {doubt}".strip()
    if verdict.agree:
        agreed = draw.choice(
            (
                f"Statistics and nearest examples agree on {label_words(verdict.label)}.",
                f"Both comparisons with other people come to {label_words(verdict.label)}.",
            )
        )
        return f"{recalled} {agreed}".strip()
    return recalled


def _answer(asked: Asked, verdict: Verdict, draw: random.Random) -> str:
    """The answer in the question's own terms."""
    name = label_words(verdict.label)
    if asked.resting is not None:
        still = is_still(verdict.label)
        yes = still is asked.resting
        state = "resting" if still else "moving"
        return f"So {'yes' if yes else 'no'}: the person is {state}, most likely {name}."
    if len(asked.options) == 1:
        asked_label = asked.options[0]
        if asked_label == verdict.label:
            return f"So yes, this is {name}."
        return f"So no, this is not {label_words(asked_label)} but most likely {name}."
    if asked.options and verdict.label not in asked.options:
        offered = listed([label_words(option) for option in asked.options])
        return f"Of {offered} none fits best; the findings speak for {name}."
    rest = (
        f", with {label_words(verdict.second)} as the next best"
        if verdict.second and verdict.confidence != "high"
        else ""
    )
    if asked.options:
        return f"Between the choices it is {name}{rest}."
    return draw.choice((f"All in all this is most likely {name}{rest}.", f"I therefore take this to be {name}{rest}."))
