"""The tools every workspace has."""

from __future__ import annotations

from tools.gravity import count_steps, separate_gravity
from tools.heart import estimate_heart_rate
from tools.motion import correlate_channels, estimate_orientation, segment_session
from tools.overview import show_channel_stats, show_session_stats
from tools.ranges import look_up_ranges
from tools.reference import compare_to_reference, nearest_examples
from tools.registry import Tool
from tools.samples import check_signal, show_samples
from tools.selection import filter_by_time, select_channels
from tools.spectrum import compute_spectrum, detect_periodicity

BUILTIN: tuple[Tool, ...] = (
    show_session_stats,
    show_channel_stats,
    select_channels,
    filter_by_time,
    compute_spectrum,
    detect_periodicity,
    estimate_orientation,
    correlate_channels,
    separate_gravity,
    count_steps,
    segment_session,
    estimate_heart_rate,
    check_signal,
    show_samples,
    compare_to_reference,
    nearest_examples,
    look_up_ranges,
)
"""In the order in which an analyst would come to them."""

RANKING = frozenset(("compare_to_reference", "nearest_examples"))
"""Tools that say which label is the likeliest. Not offered where a thread's evidence is to be measured."""
LOOKING_UP = frozenset(("look_up_ranges",))
"""Tools that take their place there: they say how other people's sessions lie, and do not look at this one."""
