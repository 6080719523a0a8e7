"""The channels that a manifest describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.session import Channel


def channels_of(manifest: Mapping[str, Any]) -> tuple[Channel, ...]:
    """The channels a manifest describes, in whichever of the usual ways it does."""
    from core.datasets.session_file import TIME_COLUMN
    from tools.session import Channel

    listed = manifest.get("channels")
    if isinstance(listed, dict):
        listed = [{"name": name, **(about if isinstance(about, dict) else {})} for name, about in listed.items()]
    channels: dict[str, Channel] = {}
    for entry in listed if isinstance(listed, list) else ():
        about: dict[str, Any] = entry if isinstance(entry, dict) else {"name": entry}
        name = about.get("name")
        if isinstance(name, str) and name != TIME_COLUMN:
            rate = _rate(about.get("sampling_rate_hz", manifest.get("sampling_rate_hz")))
            channels[name] = Channel(name, as_text(about.get("description")), as_text(about.get("unit")), rate)
    return tuple(channels.values())


def _rate(value: Any) -> float | None:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        return None
    return rate if 0 < rate < float("inf") else None


def as_text(value: Any) -> str:
    """A manifest's text; empty where it is none."""
    return value if isinstance(value, str) else ""
