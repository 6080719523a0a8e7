"""What is true of a session, for each kind of question: from what its dataset states, or from its samples."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from core.thread.labels import canonical
from core.thread.scoring import CANNOT_BE_TOLD

if TYPE_CHECKING:
    from tools.session import Channel, Window

ALIKE, APART = 1.1, 1.5
"""Spreads of two stretches that differ by less than the first factor are the same, by more than the second differ.
In between nobody is asked. The standard error of a spread from n independent samples is 1/√(2n) of it (Kendall &
Stuart 1977, vol. 1, 10.5); half a short window of body movement holds about a dozen, so that a factor of
1.5 is two such errors of both."""
VOTES = 20
"""Similar sessions of other people that vote: as many as `nearest_examples` shows at most."""
SURE, NOT_SURE = 18, 12
"""Votes for one label from which one can be sure, and up to which one cannot. Their share estimates its probability
(Cover & Hart 1967, "Nearest neighbor pattern classification"), with a standard error of 0.07 for 0.9 of twenty."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of one session. No model is shown any of it but what its tools print."""

    session: str
    label: str
    labels: tuple[str, ...]
    """The dataset's label set."""
    channels: Sequence[Channel]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the dataset states of the session beside its label: `steps`, `changes_sec`, `faulty_sensor`."""
    window: Callable[[], Window | None] = lambda: None
    """Its samples; None where they cannot be read."""
    votes: Callable[[], Mapping[str, int]] = dict[str, int]
    """The labels of the `VOTES` most similar sessions of other people; empty where there are none."""


class Truth(NamedTuple):
    """The right answer, and what fills the places in the question's words."""

    answer: str
    slots: Mapping[str, str] = {}


def activity_of(about: About, draw: random.Random) -> Truth | None:
    """The session's label; not where the dataset states that it holds several activities."""
    return Truth(about.label) if about.label and not about.facts.get("changes_sec") else None


def two_labels(about: About, draw: random.Random) -> Truth | None:
    """The session's label and another one, in any order."""
    others = [label for label in about.labels if canonical(label) != canonical(about.label)]
    if not others or activity_of(about, draw) is None:
        return None
    pair = [about.label, draw.choice(others)]
    draw.shuffle(pair)
    return Truth(about.label, {"one": _in_words(pair[0]), "other": _in_words(pair[1])})


_RESTING = frozenset(map(canonical, "lying sitting standing sleeping resting".split()))
_MOVING = frozenset(
    map(canonical, "walking walking_upstairs walking_downstairs running jogging cycling nordic_walking rope_jumping "
    "stairs jumping jump_front_and_back rowing".split())
)  # fmt: skip


def rest_of(about: About, draw: random.Random) -> Truth | None:
    """Whether the label is a posture or a way of moving about."""
    label = canonical(about.label)
    if activity_of(about, draw) is None or label not in _RESTING | _MOVING:
        return None
    return Truth("resting" if label in _RESTING else "moving")


def steps_in(about: About, draw: random.Random) -> Truth | None:
    """The count that the dataset states."""
    steps = about.facts.get("steps")
    return Truth(str(steps)) if type(steps) is int and steps >= 0 else None


def change_in(about: About, draw: random.Random) -> Truth | None:
    """The time that the dataset states, where it is one."""
    changes = about.facts.get("changes_sec")
    if not isinstance(changes, list) or len(changes) != 1 or not isinstance(changes[0], int | float):
        return None
    return Truth(f"{changes[0]:g}")


def fault_in(about: About, draw: random.Random) -> Truth | None:
    """The sensor that the dataset states to be faulty, or `none`."""
    from tools.sensors import sensors_of

    faulty, names = about.facts.get("faulty_sensor"), [sensor.name for sensor in sensors_of(about.channels)]
    if not isinstance(faulty, str) or faulty not in ("none", *names):
        return None
    return Truth(faulty, {"sensors": ", ".join(names)})


def comparison_of(about: About, draw: random.Random) -> Truth | None:
    """In which half a sensor's samples spread more, where that is plain."""
    import numpy as np

    from tools.results import MOTION, rows_of, seconds
    from tools.sensors import sensors_of

    window = about.window()
    if window is None or window.time_sec.size < 32:
        return None
    sensors = [sensor for sensor in sensors_of(window.channels) if sensor.is_triad and sensor.kind in MOTION]
    if not sensors:
        return None
    sensor = draw.choice(sensors)
    rows, middle = rows_of(window, sensor), (window.start_sec + window.end_sec) / 2
    middle = seconds(middle)
    # as the tools cut it: both borders belong to a stretch
    halves = rows[:, window.time_sec <= middle + 1e-9], rows[:, window.time_sec >= middle - 1e-9]
    if not all(np.isfinite(half).all() and half.shape[1] > 8 for half in halves):
        return None
    first, second = (float(np.sqrt(half.var(axis=1).sum())) for half in halves)
    if not first > 0 < second:
        return None
    factor = max(first, second) / min(first, second)
    if ALIKE < factor < APART:
        return None
    answer = "same" if factor <= ALIKE else "first" if first > second else "second"
    start, end = f"{seconds(window.start_sec):g}", f"{seconds(window.end_sec):g}"
    return Truth(answer, {"sensor": sensor.name, "start": start, "middle": f"{middle:g}", "end": end})


def sureness_about(about: About, draw: random.Random) -> Truth | None:
    """Whether other people's most similar sessions agree on the label, or not on any. Where they agree on another one
    nobody is asked: no look at the session could tell that they are wrong."""
    if activity_of(about, draw) is None:
        return None
    votes = about.votes()
    if sum(votes.values()) < VOTES:
        return None
    own = sum(number for label, number in votes.items() if canonical(label) == canonical(about.label))
    return Truth("sure") if own >= SURE else Truth("not sure") if max(votes.values()) <= NOT_SURE else None


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """Something that people ask for and that few sensors measure."""

    topic: str
    wanted: str
    questions: tuple[str, ...]
    measured_by: str
    """A pattern; a channel whose name, unit or description it fits may measure it, and then nobody is asked."""


UNMEASURED: tuple[Unmeasured, ...] = (
    Unmeasured(
        "heart rate", "the number of beats a minute",
        ("What is the person's heart rate here?", "How fast does the wearer's heart beat?", "What pulse is it?"),
        r"heart|\bhr\b|bpm|pulse|ecg|ekg|ppg|electrocardio",
    ),
    Unmeasured(
        "identity", "the person's name",
        ("Who is the person in this recording?", "Whose recording is this?", "What is the wearer called?"),
        r"name|face",
    ),
    Unmeasured(
        "place", "the place",
        ("In which town was this recorded?", "Where on the map is the person?", "Which building is the person in?"),
        r"gps|gnss|latitude|longitude|position|location|wifi",
    ),
    Unmeasured(
        "temperature", "the number of degrees Celsius",
        ("How warm is it around the wearer?", "What is the person's skin temperature?", "How many degrees is it?"),
        r"temp|°c|celsius|thermo",
    ),
    Unmeasured(
        "blood pressure", "the upper value in mmHg",
        ("What is the wearer's blood pressure?", "Is the person's blood pressure raised, and how high is it?"),
        r"pressure|mmhg|ppg",
    ),
    Unmeasured(
        "time of day", "the time of day",
        ("At what time of day was this recorded?", "Was this in the morning, and at what time?"),
        r"clock|unix|epoch|utc",
    ),
    Unmeasured(
        "speech", "the words",
        ("What does the person say in this recording?", "Which words are spoken here?"), r"audio|micro|sound|voice",
    ),
)  # fmt: skip


def unmeasured(about: About, draw: random.Random) -> Truth | None:
    """Something that none of the channels measures."""
    told = " ".join(f"{channel.name} {channel.unit} {channel.description}" for channel in about.channels).casefold()
    open_to_ask = [topic for topic in UNMEASURED if not re.search(topic.measured_by, told.replace("_", " "))]
    if not open_to_ask or not about.channels:
        return None
    topic = draw.choice(open_to_ask)
    return Truth(CANNOT_BE_TOLD, {"question": draw.choice(topic.questions), "wanted": topic.wanted})


def _in_words(label: str) -> str:
    return " ".join(re.sub(r"[_\-]+", " ", label).split()).lower()
