"""Which recording the stretches in a file of labels are of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.datasets.archive import Raw, RawFile
from core.datasets.tables.intervals import Interval, read_intervals
from core.datasets.tables.joining import Source
from core.errors import DatasetError


def intervals_of(
    sources: Sequence[Source], annotations: Sequence[RawFile], raw: Raw
) -> dict[str, tuple[Interval, ...]]:
    """The labelled stretches of each recording: by the file they name, by a file's name, or by the folder."""
    if not annotations:
        raise DatasetError(f"{raw.path}: no file of labels is in it; a CSV of start, end and label would be one")
    own: dict[str, list[Interval]] = {source.name: [] for source in sources}
    for file in annotations:
        about: dict[str, list[Source]] = {}
        for interval in read_intervals(file):
            named = interval.recording
            if named not in about:
                about[named] = _named_by(file, named, sources) if named else _beside(file, sources)
            if len(about[named]) != 1:
                raise DatasetError(
                    f"{file.name}: which recording {'is ' + repr(named) if named else 'it labels'} is not clear; name "
                    "it like the recording, or put it into its folder"
                )
            own[about[named][0].name].append(interval)
    return {name: tuple(intervals) for name, intervals in own.items()}


def _named_by(file: RawFile, named: str, sources: Sequence[Source]) -> list[Source]:
    """The recordings that a row of a file of labels names, with folders or without; of several the one beside it."""
    named = named.replace("\\", "/")

    def fits(path: str, wanted: str) -> bool:
        return any(own == wanted or own.endswith(f"/{wanted}") or wanted.endswith(f"/{own}")
                   for own in (path, path.rpartition(".")[0]))  # fmt: skip

    for wanted in (named, named.rpartition("/")[2]):
        fitting = [
            source
            for source in sources
            if fits(source.name, wanted) or any(fits(part.name, wanted) for part in source.files)
        ]
        beside = [source for source in fitting if source.folder == file.name.rpartition("/")[0]]
        if fitting:
            return beside if len(beside) == 1 else fitting
    return []


def _beside(file: RawFile, sources: Sequence[Source]) -> list[Source]:
    """The recordings beside a file of labels: the one that is there alone, or those whose name its own begins with,
    as far as any does: `run10_labels` is about `run10`, and not about `run1`."""
    folder, _, name = file.name.rpartition("/")
    beside = [source for source in sources if source.folder == folder]
    stem = name.rpartition(".")[0]

    def shared(source: Source) -> int:
        own = {part.name.rpartition("/")[2].rpartition(".")[0] for part in source.files} | {
            source.name.rpartition("/")[2]
        }
        return max((len(each) for each in own if re.match(re.escape(each) + r"(?![^\W_])", stem)), default=0)

    most = max(map(shared, beside), default=0)
    return beside if len(beside) == 1 else [source for source in beside if most and shared(source) == most]
