"""Tables of any common form as a dataset: decided by looking, told, and cut into windows of one label."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Any

from core.datasets.archive import Raw, as_text
from core.datasets.plan import Importer, ImportOptions, Plan, Unit
from core.datasets.tables.cutting import Windows, cut_of, sessions_of
from core.datasets.tables.form import FORM_FILE, TableForm
from core.datasets.tables.proposal import Looked, Proposal, look_at_tables
from core.datasets.windows import checked_cut
from core.text import counted
from tools.session import Channel

LENGTH_SEC = 5.0
"""A window's length unless told."""
_OTHER_RATE = 1.1
"""Rates that differ by more are those of several devices."""


def windows_of(proposal: Proposal, options: ImportOptions) -> tuple[float | None, float]:
    """How recordings are cut: the length of a window in seconds, None where recordings stay whole, and the overlap.

    Raises:
        UsageError: no window could be cut that way.
    """
    form = proposal.form
    told = options.length_sec or form.length_sec
    overlap = form.overlap if options.overlap is None else options.overlap
    whole = proposal.whole and not told and not form.keep_whole
    length = max(looked.seconds for looked in proposal.recordings) if whole else told or LENGTH_SEC
    for looked in proposal.recordings:
        checked_cut(cut_of(looked, LENGTH_SEC), length, overlap)
    return None if whole else length, overlap


def _plan(raw: Raw | None, options: ImportOptions) -> Plan:
    assert raw is not None
    proposal = look_at_tables(raw, options.table or TableForm())
    recordings = proposal.recordings
    length, overlap = windows_of(proposal, options)
    settings: dict[str, Any] = {"length_sec": "whole recordings" if length is None else length, "overlap": overlap}
    purity, keep_whole = proposal.form.min_purity, proposal.form.keep_whole
    settings |= ({"min_purity": purity} if purity else {}) | ({"keep_whole": True} if keep_whole else {})
    cut = "Each session is a whole recording" if length is None else f"Windows of {length:g} s of one activity"
    return Plan(
        title=as_text(raw.path.stem),
        description=f"{counted(len(recordings), 'recording')} of one's own. {cut}.",
        activities=proposal.labels,
        channels=_channels(recordings),
        source=proposal.form.source or "recordings of one's own",
        settings={**settings, "label": proposal.form.label, "subject": proposal.form.subject, "notes": proposal.notes},
        total=sum(source.size for source in proposal.sources),
        units=_units(proposal, Windows(length, overlap, purity or 1.0, keep_whole)),
        dropped=proposal.left_out,
        beside={FORM_FILE: replace(proposal.form, length_sec=length or 0.0, overlap=overlap).text()},
        told=tuple(proposal.decisions()),
        in_bytes=True,
    )


def _channels(recordings: Sequence[Looked]) -> tuple[Channel, ...]:
    """Every channel; one that devices recorded at several rates says so."""
    own: dict[str, list[Channel]] = {}
    for channel in (channel for looked in recordings for channel in looked.channels):
        own.setdefault(channel.name, []).append(channel)
    every: list[Channel] = []
    for channels in own.values():
        rates = sorted(channel.rate_hz or 0.0 for channel in channels)
        usual = replace(channels[-1], rate_hz=rates[len(rates) // 2])
        if rates[-1] > _OTHER_RATE * rates[0]:
            usual = replace(usual, description=f"{usual.description}, at {rates[0]:g} to {rates[-1]:g} Hz")
        every.append(usual)
    return tuple(every)


IMPORTER = Importer(
    "table", "recordings of one's own: CSV, TSV, Parquet, JSON lines", True, ("length_sec", "overlap"), _plan
)


def _units(proposal: Proposal, windows: Windows) -> Iterator[Unit]:
    named = zip(proposal.recordings, _prefixes(proposal.recordings), strict=True)
    for name, pairs in groupby(named, key=lambda pair: pair[0].source.name):
        people, own = list(pairs), proposal.intervals.get(name, ())
        size = people[0][0].source.size
        yield Unit(name, size, partial(sessions_of, people, proposal.form, own, windows))


def _prefixes(recordings: Sequence[Looked]) -> list[str]:
    """What the sessions of each recording are called: the subject and a number that tells nothing about the label."""

    def drawn(looked: Looked) -> bytes:
        device = f"\0{looked.part}" if looked.part else ""
        return hashlib.sha256(f"{looked.source.name}\0{looked.subject}{device}".encode()).digest()

    numbers: Counter[str] = Counter()
    prefixes: dict[tuple[str, str, str], str] = {}
    for looked in sorted(recordings, key=drawn):
        who = re.sub(r"\W+", "_", looked.subject) or "rec"
        numbers[who] += 1
        prefixes[looked.source.name, looked.subject, looked.part] = f"{who}_r{numbers[who]:03d}"
    return [prefixes[looked.source.name, looked.subject, looked.part] for looked in recordings]
