"""The last message: what the findings come to, how sure that is, and the label."""

from __future__ import annotations

import random
from dataclasses import replace

from core.analyst.citations import grounds
from core.analyst.conversation import Conversation, Finding
from core.analyst.eliminating import eliminated, is_measuring, reasoned, rests_on
from core.analyst.evidence import Verdict, is_moving, weigh
from core.analyst.impressions import revision
from core.analyst.phrases import label_words, listed, phrase
from core.analyst.questions import Asked, is_still
from core.analyst.words import explain, recall
from core.thread.open_answer import open_answer


def conclude(
    conversation: Conversation, asked: Asked, window: str, draw: random.Random, *, revises: bool = False
) -> str:
    """The final message, with its two closing lines; it takes back a first impression that it `revises`."""
    if is_measuring(conversation) and (verdict := eliminated(conversation, window)) is not None:
        if asked.options or asked.resting is not None:  # a choice is made among the labels that were offered
            verdict = replace(verdict, left=())
        parts = [
            reasoned(conversation, window, draw),
            rests_on(conversation, window, draw),
            _answer(asked, verdict, draw),
        ]
        return _closed(parts, verdict)
    verdict = weigh(conversation, draw)
    last = [finding for finding in conversation.findings if finding.turn == conversation.turns - 1]
    parts = [text for finding in last if (text := explain(finding, draw))]
    parts.append(grounds(conversation.findings, draw))
    parts.append(_summary(conversation, verdict, last, draw))
    parts.append(revision(conversation, verdict.label, draw) if revises else "")
    parts.append(_answer(asked, verdict, draw))
    return _closed(parts, verdict)


def _closed(parts: list[str], verdict: Verdict) -> str:
    body = " ".join(part for part in parts if part)
    answer = open_answer(verdict.left) if verdict.left else verdict.label
    return f"{body}\n\nConfidence: {verdict.confidence}\nFinal Answer: {answer}"


def _summary(conversation: Conversation, verdict: Verdict, last: list[Finding], draw: random.Random) -> str:
    if all(finding.failed for finding in conversation.findings):
        return (
            "I have no result to go by: without a tool that answers I cannot see anything of this session, "
            "so what follows is a guess among the labels."
        )
    if not verdict.reference and not verdict.neighbours:
        moving = is_moving(conversation)
        about = "what was measured shows movement" if moving else "the signals are those of somebody at rest"
        if moving is None:
            about = "what was measured does not tell one activity from another"
        return f"Nothing here compares the session with known activities; {about}, and I can say no more."
    if verdict.agree is False:
        return phrase(
            "[The statistics|The distances] [point to|speak for] {reference}, the nearest examples [to|for] "
            "{neighbours}; [I weigh both, and the doubt remains|both count, and some doubt stays|that leaves it "
            "open which is right, and I weigh both].",
            draw, reference=label_words(verdict.reference), neighbours=label_words(verdict.neighbours),
        )  # fmt: skip
    if verdict.agree:
        return phrase(
            "[Statistics and nearest examples|Distances and neighbours|The averages and the single windows of others] "
            "[agree on|both say|come together at] {label}.|"
            "[Both comparisons|The two comparisons] with other people come to {label}[, which makes it firmer|].",
            draw, label=label_words(verdict.label),
        )  # fmt: skip
    before = [finding for finding in conversation.of("compare_to_reference") if finding not in last]
    return recall(before[0], draw) if before else ""


def _open(verdict: Verdict, draw: random.Random) -> str:
    """That the label cannot be told, and which one would be the guess."""
    return phrase(
        "[Which of them it is cannot be told from what these sensors measure|What was measured does not decide between "
        "them|That is as far as the measurements go]: {name} [would be a guess|is no more than the nearest|is only the "
        "first among them], so I name [none|no single label].",
        draw, name=label_words(verdict.label),
    )  # fmt: skip


def _answer(asked: Asked, verdict: Verdict, draw: random.Random) -> str:
    """The answer in the question's own terms."""
    name = label_words(verdict.label)
    if verdict.left:
        return _open(verdict, draw)
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
        return phrase(
            "Of {offered} none fits best; [the findings speak for|what I see is rather|by the findings it is] {name}.",
            draw, offered=offered, name=name,
        )  # fmt: skip
    rest = ""
    if verdict.second and verdict.confidence != "high":
        rest = phrase(
            ", [with {second} as the next best|{second} being the next best|though {second} is not ruled out]",
            draw, second=label_words(verdict.second),
        )  # fmt: skip
    if asked.options:
        return phrase(
            "[Between the choices|Of what was offered|As for the choice,] it is {name}{rest}.",
            draw, name=name, rest=rest,
        )  # fmt: skip
    return phrase(
        "[All in all this is|Taken together it is|On balance it is|I therefore take this to be|I settle on|That makes "
        "it][ most likely|] {name}{rest}.",
        draw, name=name, rest=rest,
    )  # fmt: skip
