"""The tools every workspace has."""

from __future__ import annotations

from tools.overview import show_channel_stats, show_session_stats
from tools.reference import compare_to_reference, nearest_examples
from tools.registry import Tool
from tools.selection import filter_by_time, select_channels

BUILTIN: tuple[Tool, ...] = (
    show_session_stats,
    show_channel_stats,
    select_channels,
    filter_by_time,
    compare_to_reference,
    nearest_examples,
)
