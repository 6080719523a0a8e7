"""How a final answer is held against the truth: by the kind of question that was asked.

A thread's metadata say the kind (`question_kind`; a thread that says nothing asks for the activity) and the truth
(`ground_truth`). Everything that says whether an answer is right asks `is_right`, by way of `core.thread.value.count`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.thread.labels import same_label
from core.thread.open_answer import CANNOT_BE_TOLD, is_open

ACTIVITY = "activity"
"""The kind of a question that asks which label the session has; the one that is asked unless told otherwise."""

FORM = "As the final answer give {form}."
"""Ends every question but that for the activity; the analyst reads the kind from it, and so can anybody."""

STEPS_SHARE = 0.1
"""Of the steps a count may be off: the mean absolute error that ANSI/CTA-2056 (2016), "Physical activity monitoring for
step counting", allows a step counter."""
STEPS_LEAST = 1.0
"""Steps that a count may be off in any case: a window may begin and end in the middle of one."""
CHANGE_SEC = 0.5
"""Seconds that the time of a change may be off: the frame in which `segment_session` looks for changes, and more than
the 0.2 s by which it says its times are off as a rule (`make reference-tools` prints them)."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How answers to one kind of question are scored."""

    in_words: str
    """For the table of kinds."""
    is_label: bool = False
    """Whether the truth is one of the dataset's labels."""
    answers: tuple[str, ...] = ()
    """The words that are asked for; empty where a label, a name or a number is."""
    tolerance: Callable[[float], float] | None = None
    """By how much a number may be off, for the true one; None where no number is asked for."""


SCORING: Mapping[str, Scoring] = {
    ACTIVITY: Scoring("the session's label, synonyms count", is_label=True),
    "choice": Scoring("the session's label, synonyms count", is_label=True),
    "resting": Scoring("that word", answers=("resting", "moving")),
    "steps": Scoring(
        f"within {STEPS_SHARE:.0%} of the count, or {STEPS_LEAST:.0f} step where that is more",
        tolerance=lambda steps: max(STEPS_LEAST, STEPS_SHARE * steps),
    ),
    "change": Scoring(f"within {CHANGE_SEC:g} s", tolerance=lambda _: CHANGE_SEC),
    "compare": Scoring("that word", answers=("first", "second", "same")),
    "fault": Scoring("that sensor's name, or `none`"),
    "certainty": Scoring("that word", answers=("sure", "not sure")),
    "unanswerable": Scoring(f"`{CANNOT_BE_TOLD}`", answers=(CANNOT_BE_TOLD,)),
}
"""Every kind of question, in the order that tables show them. `core.thread.kinds` says what each asks."""

KINDS = tuple(SCORING)

_MEANT: Mapping[str, str] = {
    **dict.fromkeys(("rest", "at rest", "still", "not moving", "inactive"), "resting"),
    **dict.fromkeys(("in motion", "active", "not resting"), "moving"),
    **dict.fromkeys(("first half", "first part", "first stretch"), "first"),
    **dict.fromkeys(("second half", "second part", "second stretch"), "second"),
    **dict.fromkeys(("equal", "both", "about the same", "no difference"), "same"),
    **dict.fromkeys(("unsure", "uncertain"), "not sure"),
    **dict.fromkeys(("cannot tell", "can not be told", "can't be told", "unanswerable", "cannot be determined"),
                    CANNOT_BE_TOLD),
}  # fmt: skip
_NUMBER = re.compile(
    # a separator of thousands stands before exactly three digits, after one to three that do not begin with a zero;
    # a plain space may as well part two numbers, and a full stop a whole from its fraction
    r"[-−]?(?:(?<![\d.,])[1-9]\d{0,2}(?:(?P<mark>[,'’_\u00a0\u2009\u202f])\d{3})(?:(?P=mark)\d{3})*(?![\d_'’]|,\d)(?:\.\d+)?"
    r"|\d+(?:\.\d+)?|\.\d+)"
)
_SEPARATORS = str.maketrans("−", "-", ",'’_\u00a0\u2009\u202f")


def kind_in(metadata: Mapping[str, Any]) -> str:
    """The kind of question that a thread's metadata name."""
    kind = metadata.get("question_kind")
    return kind if isinstance(kind, str) and kind else ACTIVITY


def activity_in(metadata: Mapping[str, Any]) -> str:
    """The session's label, also where the question asks for something else; empty where none is known."""
    return str(metadata.get("activity") or metadata.get("ground_truth") or "")


def scoring_of(kind: str) -> Scoring:
    """How a kind is scored; one that nobody declared is scored as labels are."""
    return SCORING.get(kind, SCORING[ACTIVITY])


def asks_for_a_label(kind: str) -> bool:
    """Whether the truth of such a question is one of the dataset's labels."""
    return scoring_of(kind).is_label


def is_right(kind: str, answer: str, truth: str) -> bool | None:
    """Whether an answer to a question of this kind is right; None for one that says it cannot be told, but where just
    that is true."""
    scoring = scoring_of(kind)
    if is_open(meant(answer)) and not is_open(truth):
        return None
    if scoring.tolerance is not None:
        number, true = number_in(answer), number_in(truth)
        return number is not None and true is not None and abs(number - true) <= scoring.tolerance(true) + 1e-9
    return same_label(meant(answer), meant(truth)) if scoring.answers else same_label(answer, truth)


def meant(answer: str) -> str:
    """The word that an answer in words stands for; the answer itself where it is none of them."""
    plain = " ".join(answer.casefold().strip(" .`'\"").split()).removeprefix("the ")
    return _MEANT.get(plain, plain)


def number_in(answer: str) -> float | None:
    """The one number that an answer states, in whatever words, its thousands parted or not (`1,200`); None where it
    states none, or several."""
    numbers = [match[0] for match in _NUMBER.finditer(answer)]
    return float(numbers[0].translate(_SEPARATORS)) if len(numbers) == 1 else None


def balanced_as(kind: str, truth: str) -> str:
    """What a thread counts as where truths are balanced: numbers are all different, so they count as their kind."""
    return kind if scoring_of(kind).tolerance is not None else truth


def states_its_form(question: str) -> bool:
    """Whether a question still says which form its answer is to have, as one of another kind than activity does."""
    return FORM.partition("{")[0].strip() in question
