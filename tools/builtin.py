"""The tools every workspace has."""

from __future__ import annotations

from tools.heart import estimate_heart_rate
from tools.motion import correlate_channels, estimate_orientation, segment_session
from tools.overview import show_channel_stats, show_session_stats
from tools.reference import compare_to_reference, nearest_examples
from tools.registry import Tool
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
    segment_session,
    estimate_heart_rate,
    compare_to_reference,
    nearest_examples,
)
"""In the order in which an analyst would come to them."""
