"""What a first look leaves open, and what becomes of that when the rest says otherwise."""

from __future__ import annotations

import random
from dataclasses import replace

from core.analyst.conversation import Conversation, Finding
from core.analyst.evidence import is_moving
from core.analyst.phrases import label_words, listed, phrase
from core.analyst.questions import is_still

MOST = 6
"""Labels named at most; more are told by their kind."""


def first_impression(conversation: Conversation, draw: random.Random) -> str:
    """Which labels the first measured movement or rest leaves open; empty unless the last turn measured it."""
    finding, moving = _first_look(conversation)
    if finding is None or finding.turn != conversation.turns - 1:
        return ""
    fitting = [label_words(label) for label in conversation.labels if is_still(label) != moving]
    others = [label_words(label) for label in conversation.labels if is_still(label) == moving]
    if not fitting or not others:
        return ""
    kinds = ("movements", "postures") if moving else ("postures", "movements")
    return phrase(
        "[This is|That looks like|So far it is] [{state}|plainly {state}|more {state} than {other}]: {fitting} "
        "[stay|remain] open, {others} [seem out|hardly fit|would surprise me].|"
        "[A body {doing}|Somebody {doing}], then[; {others} are unlikely|, which speaks against {others}]. "
        "[Open are|I keep open] {fitting}.",
        draw,
        state="movement" if moving else "rest", other="rest" if moving else "movement",
        doing="that moves" if moving else "at rest",
        fitting=listed(fitting) if len(fitting) <= MOST else f"the {kinds[0]}",
        others=listed(others) if len(others) <= MOST else f"the {kinds[1]}",
    )  # fmt: skip


def revision(conversation: Conversation, label: str, draw: random.Random) -> str:
    """That a first impression was wrong, where the answer is a label that it had put aside; else empty."""
    finding, moving = _first_look(conversation)
    if finding is None or is_still(label) != moving or all(is_still(each) == moving for each in conversation.labels):
        return ""
    return phrase(
        "[My first impression was|At first I took this for|I began by seeing] {state}[, and that was too quick|; that "
        "does not hold|, and I take that back]: [the rest of what I see|what came after|all the rest] speaks "
        "for {label}.",
        draw, state="movement" if moving else "rest", label=label_words(label),
    )  # fmt: skip


def _first_look(conversation: Conversation) -> tuple[Finding | None, bool]:
    """The first finding that tells movement from rest, and which it is."""
    for number, finding in enumerate(conversation.findings, 1):
        moving = is_moving(replace(conversation, findings=conversation.findings[:number]))
        if moving is not None:
            return finding, moving
    return None, False
