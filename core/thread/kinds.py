"""The kinds of questions that a thread may ask: their words, whom they can be asked of, what is true, what is answered.

The truth is made from what a dataset says of a session or from its samples, by fixed rules, never by a model; a kind is
only asked of sessions that have one. How an answer is scored is `core.thread.scoring`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.thread.kind_truths import (
    About,
    Truth,
    activity_of,
    change_in,
    comparison_of,
    fault_in,
    rest_of,
    steps_in,
    sureness_about,
    two_labels,
    unmeasured,
)
from core.thread.scoring import ACTIVITY, CANNOT_BE_TOLD, FORM


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of question."""

    name: str
    about: str
    """What it asks."""
    sessions: str
    """Of which sessions it can be asked, after "of"."""
    source: str
    """Where the truth comes from."""
    truth: Callable[[About, random.Random], Truth | None]
    """The truth about a session, with what fills the words; None where the session has none."""
    wordings: tuple[str, ...] = ()
    """Empty where the model proposes the question."""
    form: str = ""
    """What the final answer is to be, in the question's own words; empty where it is a label, as ever."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of some kind about one session, and its truth, which no model is shown."""

    kind: str
    session: str
    question: str
    """Empty where the model is to propose it."""
    truth: str
    activity: str
    """The session's label."""


_DECLINING = f"{{form}}, or `{CANNOT_BE_TOLD}` if these channels do not show it"
"""Said in half of all questions, so that the words alone do not give away which one is to be declined."""

DECLARED: tuple[Kind, ...] = (
    Kind(
        ACTIVITY, "which activity it is", "every labelled session", "the session's label", activity_of,
    ),
    Kind(
        "choice", "which of two activities it is", "every labelled session of two labels or more",
        "the session's label; the other one is drawn from the rest", two_labels,
        ("Is this {one} or {other}?",
         "Was the person {one} or {other} here?",
         "It has to be either {one} or {other}. Which of the two do the signals show?",
         "Two of us disagree: one says {one}, one says {other}. Who is right?"),
        "one of the two, as the dataset spells it",
    ),
    Kind(
        "resting", "whether the person rests or moves",
        "sessions labelled with a posture, or with walking, running, cycling and the like",
        "the label: postures are rest, ways of moving about are motion; what may be either is not asked", rest_of,
        ("Is the person resting or moving?",
         "For a care report: was the resident moving or resting?",
         "Do these sensors belong to somebody who is moving, or to somebody resting?",
         "A phone should only ring while its owner is resting, not moving. Which is it here?"),
        "`resting` or `moving`",
    ),
    Kind(
        "steps", "how many steps were made", "sessions for which the dataset states a count",
        "`facts.json` of the dataset; the demo dataset counts the steps it makes", steps_in,
        ("How many steps does this recording hold?",
         "How many steps did the person make in this window?",
         "My step counter was off. How many steps would you count here?",
         "Count the steps in this session, please."),
        "the number of steps",
    ),
    Kind(
        "change", "when the activity changed", "sessions with one change, of which the dataset states the time",
        "`facts.json` of the dataset; `sensorloom datasets import planted` joins two sessions of a person", change_in,
        ("At which second does the activity change?",
         "The person does one thing first and then another. When does it change?",
         "Where should this recording be cut so that each part holds one activity?",
         "Two activities follow each other here. From which second on is it the second one?"),
        "the time in seconds from the start",
    ),
    Kind(
        "compare", "in which of two stretches a sensor moves more",
        "sessions whose halves are alike within a tenth, or differ by half and more",
        "the samples: root of the summed variances of the sensor's axes in each half", comparison_of,
        ("In which stretch does {sensor} vary more: the first, {start} to {middle} s, or the second, "
         "{middle} to {end} s, or is it the same?",
         "Compare the first stretch, {start} to {middle} s, with the second, {middle} to {end} s: is the spread of "
         "{sensor} larger in the first, larger in the second or the same?",
         "Does the movement in {sensor} change from the first half, {start} to {middle} s, to the second, "
         "{middle} to {end} s, or does it stay the same?"),
        "`first`, `second` or `same`: whichever has the larger spread, `same` if they differ by less than a quarter",
    ),
    Kind(
        "fault", "whether a sensor is faulty, and which", "sessions for which the dataset states it",
        "`facts.json` of the dataset; `sensorloom datasets import planted` makes a sensor fail in some copies",
        fault_in,
        ("Is one of the sensors faulty here?",
         "Before I use this recording: does any sensor fail in it, and which?",
         "Can the samples of all sensors be trusted, or is one of them broken?",
         "Some of our sensors stick or drop out. Is that the case here?"),
        "the faulty sensor's name ({sensors}), or `none`",
    ),
    Kind(
        "certainty", "how sure one can be of the activity",
        "sessions whose 20 most similar ones of other people agree on the label (18 or more), or on none (12 or fewer)",
        "the labels of these 20, as `nearest_examples` finds them", sureness_about,
        ("How sure can one be of the activity in this session?",
         "Is this recording clear enough to name its activity and be sure of it?",
         "Would you bet on the activity in this window, or does the evidence leave you not sure?",
         "Should this window be used as a sure example of its activity?"),
        "`sure` if nine in ten similar sessions of other people agree on it, else `not sure`",
    ),
    Kind(
        "unanswerable", "what the channels do not show", "every session: what is asked for is measured by no channel",
        "the channels: there is none for it", unmeasured,
        ("{question}",), "{wanted}",
    ),
)  # fmt: skip
"""Every kind, in the order of `core.thread.scoring.KINDS`."""

BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in DECLARED}


def ask(kind: Kind, about: About, draw: random.Random) -> Asked | None:
    """A question of this kind about a session, in words that are drawn; None where it cannot be asked of it."""
    true = kind.truth(about, draw)
    if true is None:
        return None
    question = draw.choice(kind.wordings).format(**true.slots) if kind.wordings else ""
    if kind.form:
        form = kind.form.format(**true.slots)
        declining = kind.name == "unanswerable" or draw.random() < 0.5
        question += " " + FORM.format(form=_DECLINING.format(form=form) if declining else form)
    return Asked(kind.name, about.session, question, true.answer, about.label)
