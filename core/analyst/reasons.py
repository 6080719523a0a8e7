"""What the analyst says before it calls a tool: why this one comes next."""

from __future__ import annotations

WHY: dict[str, tuple[str, ...]] = {
    "detect_periodicity": (
        "Next I check whether the movement repeats and how fast, as steps would.",
        "A rhythm would point to steps, so I measure the cadence.",
    ),
    "compute_spectrum": (
        "The spectrum tells at which frequencies the movement lies.",
        "I look at the dominant frequencies to see the pace of the movement.",
    ),
    "estimate_orientation": (
        "How the sensor is held against gravity separates postures, so I estimate that.",
        "For a posture the direction of gravity matters most; I look at the tilt.",
    ),
    "segment_session": (
        "I check whether the window is of one piece or changes on the way.",
        "Start, middle and end should agree if this is a single activity; I compare them.",
    ),
    "correlate_channels": (
        "I look at which axes move together.",
        "Whether the axes swing together says something about the kind of movement.",
    ),
    "estimate_heart_rate": (
        "The heart rate tells how hard the person works.",
        "There is a heart signal, so I see how fast it beats.",
    ),
    "compare_to_reference": (
        "Now I compare the window with what each activity looks like in other people.",
        "To put a name to it I measure the distance to each label's statistics from other people.",
    ),
    "nearest_examples": (
        "As a second opinion I look up the most similar labelled windows of other people.",
        "I check which labelled examples lie nearest to this window.",
    ),
}
"""By tool; one of its sentences is drawn."""
