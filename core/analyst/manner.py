"""The manners of teachers: in what order one goes, how far, and which slip one makes and mends on the way."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.analyst.conversation import Conversation
from core.analyst.phrases import phrase
from tools.sensors import positions_of

Slip = Literal["", "artifact", "position"]
SLIPS = 0.11
"""Share of the threads in which a name is wrong at first: to read an error and mend the call is to be learned too."""
_NAMES_OF_A_WINDOW = ("window", "recording", "signal", "session_1", "raw")
_PLACES = ("wrist", "ankle", "chest", "thigh", "pocket")

AGAIN = (
    "[My mistake|I asked for something that is not there|That name was wrong|I had the name wrong]"
    "[: the error says what there is|, and the error says what to ask for|; I go by what is there|]."
)
"""Said before a call is mended, as a template."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one thread is gone about."""

    compares_first: bool
    """Whether other people's sessions come before the looks at this one, which then have to bear it out."""
    shuffles: bool
    """Whether the looks come in any order."""
    states_impressions: bool
    """Whether it says which labels the first look leaves open."""
    slip: Slip

    def told(self, *, measuring: bool) -> str:
        """The manner in words, parted by commas: what a thread keeps of how its teacher went about it."""
        ways = (
            ("eliminates",)
            if measuring
            else (
                "compares first" if self.compares_first else "looks first",
                "in any order" if self.shuffles else "in order",
                "says first impressions" if self.states_impressions else "says no impressions",
                f"slips on the {self.slip}" if self.slip else "",
            )
        )
        return ", ".join(filter(None, ways))


def manner_of(draw: random.Random) -> Manner:
    """A manner; `draw` is the same at each turn of a thread."""
    compares_first, shuffles, states = draw.random() < 0.2, draw.random() < 0.35, draw.random() < 0.6
    slip: Slip = draw.choice(("artifact", "position")) if draw.random() < SLIPS else ""
    return Manner(compares_first, shuffles, states, slip)


def slipped(
    arguments: Mapping[str, Any], manner: Manner, conversation: Conversation, draw: random.Random
) -> dict[str, Any]:
    """A call's arguments with the manner's slip in them. The tool's error tells what there is instead."""
    places = positions_of(conversation.present or conversation.channels)
    if manner.slip == "position" and places:
        known = {position.casefold() for position in places}
        near = [word for position in places if " " in position and (word := position.split()[-1]) not in known]
        return {**arguments, "position": draw.choice(near or [part for part in _PLACES if part not in known])}
    return {**arguments, "artifact_id": draw.choice(_NAMES_OF_A_WINDOW)}


def early_comparison(draw: random.Random) -> str:
    """Why a comparison comes first."""
    return phrase(
        "[I start from|First come|I begin with] other people's sessions[; what I measure then has to bear it out|, and "
        "test afterwards what they suggest|: they give a guess that can be tested].",
        draw,
    )


def bearing_out(draw: random.Random) -> str:
    """Said before the looks that follow a comparison."""
    return phrase(
        "[That is a guess so far|So much for the guess|A distance is no proof]; [I see whether the signals bear it "
        "out|what is measured has to fit|now for the signals themselves].",
        draw,
    )
