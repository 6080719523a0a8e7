"""Channels of which is known what they measure, because a preset or a person says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from core.datasets.tables.channels import ColumnChannel, with_units
from core.datasets.tables.form import AXES, KnownChannel, TableForm
from core.datasets.tables.paths import PathFacts
from tools.sensors import split_axis
from tools.session import Channel, Samples


def known_channels(columns: Sequence[str], form: TableForm, facts: PathFacts | None) -> list[ColumnChannel]:
    """The columns of which something is known, as channels.

    Args:
        columns: those that hold samples.
        form: what is known.
        facts: what the file's path tells.
    """
    sensor, position = (facts.sensor, facts.position.lower()) if facts else ("", "")
    known: list[ColumnChannel] = []
    for column in columns:
        if matched := _fact(column, sensor, form):
            fact, axis = matched
            name = "_".join(filter(None, (position, fact.name.replace("{axis}", axis))))
            base = split_axis(name)[0]
            where = position or form.position
            about = ", ".join(
                filter(None, (fact.about or base.replace("_", " "), where, f"{axis} axis" if axis else ""))
            )
            unit = next((form.units[told] for told in (name, base) if told in form.units), "")
            factor = 1.0 if unit else fact.factor
            reason = "as you say" if unit else f"multiplied with {factor:.6g}" if factor != 1.0 else ""
            known.append(ColumnChannel(column, Channel(name, about, unit or fact.unit), factor, reason))
    return known


def with_open_units(
    known: Sequence[ColumnChannel], values: Mapping[str, Samples], told: Mapping[str, str]
) -> list[ColumnChannel]:
    """Known channels, with the unit that the numbers show of those whose unit is not known, and a doubt where they show
    another; see `with_units`."""
    as_they_stand = [each for each in known if each.factor == 1.0 and not each.reason]
    shown = {each.column: each for each in with_units(as_they_stand, values, told)}
    return [
        replace(each, channel=replace(each.channel, unit=own.channel.unit), factor=own.factor, reason=own.reason)
        if (own := shown.get(each.column))
        else each
        for each in known
    ]


def _fact(column: str, sensor: str, form: TableForm) -> tuple[KnownChannel, str] | None:
    """What is known of a column, and its axis."""
    for pattern, fact in form.channels.items():
        for name in filter(None, (column, f"{sensor}:{column}" if sensor else "")):
            if (match := _compiled(pattern).fullmatch(name)) is not None:
                return fact, _axis(pattern, match)
    return None


def _axis(pattern: str, match: re.Match[str]) -> str:
    piece = AXES.search(pattern)
    if piece is None:
        return ""
    return match[1].lower() if piece[2] is None else "xyz"[int(match[1]) - int(piece[2])]


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    piece = AXES.search(pattern)
    if piece is None:
        return re.compile(re.escape(pattern))
    if piece[2] is None:
        words = "xyz" if piece[1] == "axis" else "XYZ"
    else:
        words = [str(number) for number in range(int(piece[2]), int(piece[3]) + 1)][:3]
    before, after = pattern[: piece.start()], pattern[piece.end() :]
    return re.compile(f"{re.escape(before)}({'|'.join(words)}){re.escape(after)}")
