"""What the analyst says before it calls a tool: why this one comes next."""

from __future__ import annotations

_NEXT = "[Next |Now |So |After that |With this in mind |]"

WHY: dict[str, str] = {
    "show_channel_stats": (
        "[First |To begin with |Before anything else |At the start |][I look at|I take in|I read off] "
        "[how strong the signals are and how much they vary|each channel's level and spread|the level and the spread "
        "of the channels|mean and spread of every channel]"
        "[, which tells whether there is movement at all|: they separate rest from motion|, as rest and motion differ "
        "there|, because a body at rest spreads little|]."
    ),
    "show_session_stats": (
        "[I check|First I see|I want to know|Let me see] what the dataset holds and [how long its sessions "
        "are|how many sessions it has|what there is to compare with]."
    ),
    "detect_periodicity": (
        f"{_NEXT}[I check|I test|I ask] whether the movement repeats[ and how fast|, and at which pace|], "
        "[as steps would|as it does when somebody walks|since steps repeat and fidgeting does not].|"
        "[A rhythm would point to steps|Steps come with a rhythm|Gait shows as a rhythm], so I [measure|take|look "
        "for] [the cadence|the pace|how often it repeats].|"
        "[What is left is the question of|Open is still] [pace|rhythm]: does [this|the signal] repeat?"
    ),
    "compute_spectrum": (
        "The spectrum [tells|shows|will say] at which frequencies the movement lies[, and how sharply|].|"
        f"{_NEXT}[I look at|I ask for] the [dominant|strongest] frequencies[ to see the pace of the "
        "movement|, since a pace shows there as a peak|, which part a steady pace from scattered motion].|"
        "[Where the power lies|How the power spreads over frequency] [should part|parts|helps to part] [a steady pace "
        "from single movements|slow sway from steps], so [I compute the spectrum|the spectrum comes next]."
    ),
    "estimate_orientation": (
        "How the sensor is held against gravity [separates|tells apart|parts] postures, so I [estimate|look "
        "at|measure] [that|the angle|it].|"
        "[For a posture|To tell postures apart] the direction of gravity matters most; I [look at|take|estimate] the "
        "tilt.|"
        "[Which way is down|Where gravity points] for the sensor [says|tells] much about how the body is held[; I "
        "check it|, so I estimate it|. That comes next]."
    ),
    "segment_session": (
        f"{_NEXT}I check whether the window is of one piece[ or changes on the way|, from start to end|].|"
        "Start, middle and end should [agree|look alike] if this is a single activity; I [compare them|put them side "
        "by side|see whether they do].|"
        "[One activity or two|A change on the way]? [I look for a shift|The parts of the window will tell]."
    ),
    "correlate_channels": (
        f"{_NEXT}I [look at|see|check] which [axes|channels] move together.|"
        "Whether the axes [swing|move] together says something about the kind of movement[, so I correlate them|; I "
        "check|].|"
        "[Coupled axes|Axes that go together] [speak for|mean] a whole-body movement; I [measure|test] that."
    ),
    "estimate_heart_rate": (
        "The heart rate [tells|shows] how hard the person works[, so I take it|; I look it up|].|"
        "There is a heart signal, so I [see|measure|check] how fast it beats."
    ),
    "compare_to_reference": (
        f"{_NEXT}I compare the window with what each activity [looks like|is like] in other people.|"
        "To put a name to it I [measure|take] the distance to each label's statistics from other people.|"
        "[How far is this from each label|Which label's statistics are near]? [I compare it with other people's "
        "sessions|Other people's sessions can tell].|"
        "[What I have measured needs something to stand beside|Numbers alone name nothing]: I [compare them with|hold "
        "them against] other people's sessions."
    ),
    "nearest_examples": (
        "[As a second opinion|For a second view|As a cross-check|To be surer] I look up the most similar labelled "
        "windows[ of other people|].|"
        "I [check|see|ask] which labelled examples [lie nearest to|are most like] this window[, as a vote of its "
        "own|].|"
        "[Averages can hide a lot|A mean is not a person]; the nearest single windows [may say|tell] more."
    ),
}
"""By tool, as a template of `core.analyst.phrases`."""
