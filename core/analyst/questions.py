"""Reading what a person asks, and asking as a person would."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from core.analyst.conversation import Conversation
from core.thread.labels import canonical
from tools.sensors import Kind, Sensor

_LIMIT = re.compile(
    r"\b(only|alone|just|solely|purely|nothing but|nothing else|judging (?:by|from)|based on|going by|using|"
    r"from the .{0,40}(?:data|signal|channel))\b"
)
_KIND_WORDS: tuple[tuple[Kind, str], ...] = (
    ("gyroscope", r"gyro\w*|rotation\w*|angular"),
    ("acceleration", r"acceleromet\w*|accelerat\w*"),
    ("magnetometer", r"magnetomet\w*|compass"),
    ("ecg", r"ecg|ekg|electrocardio\w*"),
    ("heart_rate", r"heart[- ]?rate|pulse"),
)
_RESTING = re.compile(r"\b(rest|resting|rests|still|inactive|idle|motionless|sedentary)\b")
_MOVING = re.compile(r"\b(moving|active|exercising|exercise|workout|on the move|in motion)\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, as far as it shapes the answer."""

    only: tuple[Sensor, ...] = ()
    """The sensors that the question is limited to; empty when it is not."""
    options: tuple[str, ...] = ()
    """The labels that it names, as the dataset spells them."""
    resting: bool | None = None
    """True when it asks whether the person rests, False when it asks whether they move."""
    absent: bool = False
    """Whether it is limited to sensors that the session turned out not to have."""


def read_question(conversation: Conversation) -> Asked:
    """What a question asks for beyond the activity."""
    text = conversation.question.lower()
    options = _labels_in(text, conversation.labels)
    resting = None if options else True if _RESTING.search(text) else False if _MOVING.search(text) else None
    named, present = _limited_to(text, conversation), conversation.present
    only = tuple(sensor for sensor in named if not present or {*sensor.channels} & {*present})
    return Asked(only, options, resting, absent=bool(named and not only))


def _limited_to(text: str, conversation: Conversation) -> tuple[Sensor, ...]:
    if not _LIMIT.search(text):
        return ()
    sensors = conversation.sensors
    kinds = {kind for kind, words in _KIND_WORDS if re.search(rf"\b(?:{words})\b", text)}
    places = {
        sensor.position
        for sensor in sensors
        if sensor.position and re.search(rf"\b{re.escape(sensor.position)}\b", text)
    }
    named = {sensor.name for sensor in sensors if re.search(rf"\b{re.escape(sensor.name.lower())}\b", text)}
    if len({sensor.position for sensor in sensors if sensor.position}) < 2:
        places = set[str]()
    limited = tuple(
        sensor
        for sensor in sensors
        if sensor.name in named
        or (
            not named
            and (kinds or places)
            and (not kinds or sensor.kind in kinds)
            and (not places or sensor.position in places)
        )
    )
    return limited if len(limited) < len(sensors) else ()


def _labels_in(text: str, labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that a text names, the longest wording first: `walking upstairs` does not name `walking` too."""
    known = {canonical(label): label for label in labels}
    words = re.findall(r"[a-z]+", text)
    named: list[str] = []
    at = 0
    while at < len(words):
        for length in (4, 3, 2, 1):
            label = known.get(canonical("".join(words[at : at + length])))
            if label and at + length <= len(words):
                named.append(label)
                at += length
                break
        else:
            at += 1
    return tuple(dict.fromkeys(named))


def is_still(label: str) -> bool:
    """Whether a label names a posture held without moving about."""
    return canonical(label) in {canonical(posture) for posture in ("lying", "sitting", "standing")} or bool(
        re.search(r"\b(sit|stand|l[ay]ying|sleep|rest)", label.replace("_", " ").lower())
        and not re.search(r"_to_|stand_up|sit_down", label.lower())
    )


_PLAIN = (
    "What is this person doing?",
    "What activity was recorded in this session?",
    "Which activity do these sensors show?",
    "Can you tell me what the wearer was doing here?",
    "What was going on while this was recorded?",
    "Which of the listed activities fits this recording best?",
    "What is the most likely activity in this window?",
    "Looking at the whole session, what activity is it?",
    "How would you label this session?",
    "What kind of movement is this?",
    "I lost the notes for this recording. What was the person doing?",
    "Please work out from the signals which activity this is.",
)
_REASONS = (
    "For my fitness log: which activity should I write down for this session?",
    "I am checking a care home's recordings. What is the resident doing here?",
    "Before I trust this sensor I want to know: what activity does it show?",
    "We are sorting old recordings by activity. Where does this one belong?",
    "My step counter gave odd readings here. What was I doing?",
    "For a rehabilitation report, which activity did the patient perform?",
    "I want to check a label in our data. What activity would you say this is?",
    "An app has to decide whether to send an alert. What is the wearer doing?",
)
_CHOICES = (
    "Is this {one} or {other}?",
    "Would you say the person is {one} or {other}?",
    "Does this look more like {one} or like {other}, or is it something else?",
    "I cannot tell whether this is {one} or {other}. Which activity is it?",
)
_YES_NO = (
    "Is the person resting?",
    "Is the wearer moving about or staying still, and what are they doing?",
    "Is this person active at the moment, and in what way?",
    "Is this {one}?",
    "Could this be {one}, or is it another activity?",
)
_LIMITED = (
    "Using only the {sensor}, what activity is this?",
    "Judging by the {sensor} alone, what is the person doing?",
    "What does the {sensor} alone say about the activity?",
)
_KIND_NAMES: dict[Kind, str] = {
    "gyroscope": "gyroscope",
    "acceleration": "accelerometer",
    "magnetometer": "magnetometer",
}


def propose_question(conversation: Conversation, draw: random.Random) -> str:
    """A question about a session of this dataset. It rests on the manifest alone, which does not know the answer."""
    labels = [_in_words(label) for label in conversation.labels]
    kinds = [_KIND_NAMES[sensor.kind] for sensor in conversation.sensors if sensor.kind in _KIND_NAMES]
    ways: list[tuple[float, tuple[str, ...]]] = [(0.5, _PLAIN), (0.22, _REASONS)]
    if len(labels) > 1:
        ways += [(0.14, _CHOICES), (0.08, _YES_NO)]
    if len(set(kinds)) > 1:
        ways.append((0.06, _LIMITED))
    chosen = draw.choice(draw.choices([way for _, way in ways], [weight for weight, _ in ways])[0])
    first, second = draw.sample(labels, 2) if len(labels) > 1 else ("", "")
    sensor = draw.choice(sorted(set(kinds))) if kinds else ""
    return chosen.format(one=first, other=second, sensor=sensor)


def _in_words(label: str) -> str:
    return " ".join(re.sub(r"[_\-]+", " ", label).split()).lower()
