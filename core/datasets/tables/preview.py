"""How somebody's tables would be imported, for a person who looks on: what is known first is told first."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.datasets.archive import RawFile, open_raw
from core.datasets.plan import ImportOptions, Progress
from core.datasets.presets.fitting import with_preset
from core.datasets.presets.pages import Preset
from core.datasets.tables import naming
from core.datasets.tables.blocks import parquet_blocks
from core.datasets.tables.form import TableForm
from core.datasets.tables.importer import windows_of
from core.datasets.tables.proposal import Proposal, look_at_tables
from core.datasets.tables.recordings import read_recording
from core.datasets.tables.survey import Survey, survey_of
from core.datasets.watched import Following
from core.datasets.windows import Cut
from tools.session import Window

HEAD_BYTES = 4 << 20
"""So much of a long file is read to draw how it begins."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known by now of how tables would be imported."""

    survey: Survey
    beginning: Window | None = None
    """How the first recording begins, on its channels."""
    time: str = ""
    """What its times are."""
    proposal: Proposal | None = None
    length_sec: float | None = None
    """A window's length; None where recordings stay whole."""
    overlap: float = 0.0
    sessions: int = 0
    """How many sessions it can be at most."""


def with_its_preset(path: Path, options: ImportOptions, known: Sequence[Preset]) -> ImportOptions:
    """The options with what a preset knows of the files: `presets.fitting.with_preset`."""
    with tempfile.TemporaryDirectory() as scratch, open_raw(path, Path(scratch) / "unpacked") as raw:
        return replace(options, table=with_preset(raw, options.table or TableForm(), known))


def previews(path: Path, options: ImportOptions, progress: Progress, known: Sequence[Preset] = ()) -> Iterator[Preview]:
    """Look at tables: which files there are, then how the first recording begins, then all of it.

    Args:
        path: the folder, archive or file.
        options: what a person decided.
        known: the presets that there are.
        progress: told bytes read and in all as often as a chunk of a file was read; what it raises ends the look.

    Raises:
        DatasetError, UsageError: they cannot be imported so; the message says why.
    """
    form = options.table or TableForm()

    def listed(files: int) -> None:
        progress(0, 1, f"{files} files")

    with tempfile.TemporaryDirectory() as scratch, open_raw(path, Path(scratch) / "unpacked", listing=listed) as raw:
        following = Following(raw, progress)
        told: list[str] = []
        form = with_preset(raw, form, known, told.append)
        survey = survey_of(raw, form)
        preview = Preview(survey)
        yield preview
        preview = _begun(preview, form)
        yield preview
        proposal = look_at_tables(raw, form, survey, following.told)
        proposal = replace(proposal, notes=(*told, *proposal.notes))
        length, overlap = windows_of(proposal, options)
        yield replace(preview, proposal=proposal, length_sec=length, overlap=overlap,
                      sessions=_at_most(proposal, length, overlap))  # fmt: skip


def _begun(preview: Preview, form: TableForm) -> Preview:
    source = preview.survey.sources[0]
    head = replace(source, files=tuple(map(_head, source.files)))
    recording = read_recording(head, form, naming.text_columns(form), Counter())
    seconds = (recording.time_ns - recording.time_ns[0]) / 1e9
    rising = np.concatenate(([True], np.diff(np.maximum.accumulate(seconds)) > 0))
    window = Window(recording.channels, seconds[rising], recording.values[:, rising])
    return replace(preview, beginning=window, time=time_in(recording.notes))


def time_in(notes: tuple[str, ...]) -> str:
    """What the notes of a look say of times."""
    return next((note.removeprefix("time: ") for note in notes if note.startswith("time: ")), "")


def _head(file: RawFile) -> RawFile:
    """The first rows of a long file."""
    if file.size <= HEAD_BYTES:
        return file
    if file.name.lower().endswith(".parquet"):
        from pyarrow import parquet

        stream = io.BytesIO()
        parquet.write_table(next(parquet_blocks(file, HEAD_BYTES)), stream)
        data = stream.getvalue()
    else:
        data = file.read(HEAD_BYTES)
        data = data[: data.rfind(b"\n") + 1] or data
    return replace(file, size=len(data), open=partial(io.BytesIO, data), packed=False)


def _at_most(proposal: Proposal, length: float | None, overlap: float) -> int:
    """How many windows there are where each label lies in one stretch."""
    if length is None:
        return len(proposal.recordings)
    step, least_rows = length * (1 - overlap), Cut(length, overlap, 1.0, 0.0).least_rows
    stretches = (seconds for looked in proposal.recordings for label, seconds in looked.label_seconds.items() if label)
    least = length * least_rows
    return sum(int((seconds - least) / step + 1e-6) + 1 for seconds in stretches if seconds >= least)
