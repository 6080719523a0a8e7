"""Mends that change which sessions there are: copies left out, recordings of hours cut into windows."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets.copies import Copies
from core.datasets.manifest_channels import channels_of
from core.datasets.session_file import TIME_COLUMN, opened, read_columns, wanted_columns
from core.datasets.standard import DATA, LABELS, MANIFEST, SESSIONS, SUBJECTS, read_object, subject_in
from core.datasets.whole.around import still_there
from core.errors import DatasetError
from core.storage.atomic import write_json
from core.storage.splits_file import SplitBook, fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_OF_A_WINDOW = 0.9
"""What is left at a session's end is a window where it lasts this share of one."""
_ROWS = 1 << 16


def leave_out_copies(folder: Path, used: Collection[str] = ()) -> None:
    """Take out of a dataset's folder the sessions that copy another one. Those that threads are about, `used`, stay."""
    labels, subjects = read_object(folder / LABELS), _object(folder / SUBJECTS)
    named = [channel.name for channel in channels_of(read_object(folder / MANIFEST))]
    heard = Copies()
    for session in sorted(path.name for path in (folder / SESSIONS).iterdir() if (path / DATA).is_file()):
        with opened(folder / SESSIONS / session / DATA) as file:
            names = [name for name in wanted_columns(file.schema_arrow.names, named) if name != TIME_COLUMN]
            heard.hear(session, read_columns(file, names))
    copies = set(heard.copies({session: _listed(own) for session, own in labels.items()}, subjects))
    copies -= still_there(folder, used)
    for session in copies:
        shutil.rmtree(folder / SESSIONS / session)
    for name, table in ((LABELS, labels), (SUBJECTS, subjects)):
        if (folder / name).exists():
            write_json(folder / name, {session: value for session, value in table.items() if session not in copies})


def cut_sessions(source: Path, target: Path, seconds: float, book: SplitBook, used: Collection[str] = ()) -> None:
    """Write the sessions of one dataset's folder into another, those that are longer cut into windows of one length.
    Those that threads are about, `used`, stay beside their windows.

    Raises:
        DatasetError: a session has no times, or they go back; or it is held out by a name that its windows have not.
    """
    labels, subjects = read_object(source / LABELS), _object(source / SUBJECTS)
    cut: dict[str, list[str]] = {}
    staying = still_there(source, used)
    for path in sorted((source / SESSIONS).iterdir()):
        if not (path / DATA).is_file():
            continue
        windows = 0
        for windows, table in enumerate(_windows(path / DATA, seconds), 1):
            name = f"{path.name}_w{windows:05d}"
            _write_table(target / SESSIONS / name / DATA, table)
            cut.setdefault(path.name, []).append(name)
            _refuse_free(book, f"{source.name}/{path.name}", f"{source.name}/{name}")
        if not windows or path.name in staying:
            shutil.copytree(path, target / SESSIONS / path.name)
            cut.setdefault(path.name, []).append(path.name)
    # an id that says whose a session is says it no more with a window's number behind it
    people = {**{session: who for session in labels if (who := subject_in(session))}, **subjects}
    for name, table in ((LABELS, labels), (SUBJECTS, people)):
        if table or (source / name).exists():
            write_json(target / name, {new: value for old, value in table.items() for new in cut.get(old, [old])})


def _refuse_free(book: SplitBook, session: str, window: str) -> None:
    """Raise DatasetError where a session is held out by a name that does not hold out its window."""
    name = next((name for name in book.held_out if fits(name, session)), None)
    if name is not None and not any(fits(other, window) for other in book.held_out):
        raise DatasetError(
            f"{session} is held out, and its windows would not be: hold {name}* out too "
            f"(`sensorloom export --hold-out '{name}*'`); nothing was changed"
        )


def _windows(path: Path, seconds: float) -> Iterator[Any]:
    """A session's windows as Arrow tables; none where it is no longer than one and a half."""
    import numpy as np
    import pyarrow as pa

    location = f"{SESSIONS}/{path.parent.name}/{DATA}"
    with opened(path) as file:
        if TIME_COLUMN not in file.schema_arrow.names:
            raise DatasetError(f"{location}: it has no column {TIME_COLUMN}, so it cannot be cut; nothing was changed")
        times: NDArray[np.float64] = np.asarray(file.read(columns=[TIME_COLUMN]).column(0).to_numpy(), dtype=np.float64)
        if not (np.diff(times) >= 0).all():
            raise DatasetError(f"{location}: its times go back or are missing; mend that first, with --times")
        length = float(times[-1] - times[0]) if len(times) else 0.0
        if length <= 1.5 * seconds:
            return
        whole = int((length + float(np.median(np.diff(times)))) / seconds + 1 - LEAST_OF_A_WINDOW)
        edges = np.searchsorted(times, times[0] + np.arange(whole + 1) * seconds - 1e-9).tolist()
        read, first, waiting = 0, 0, list[Any]()
        for batch in file.iter_batches(_ROWS):
            waiting.append(batch)
            read += batch.num_rows
            while whole and edges[1] <= read and (len(edges) > 2 or read == len(times)):
                table = pa.Table.from_batches(waiting)
                own = table.slice(edges[0] - first, edges[1] - edges[0])
                if own.num_rows:
                    column = own.column_names.index(TIME_COLUMN)
                    begun = times[edges[0] : edges[1]] - times[edges[0]]
                    yield own.set_column(column, TIME_COLUMN, pa.array(begun))
                rest = table.slice(edges[1] - first)
                first, waiting, edges = edges[1], rest.to_batches(), edges[1:]
                if len(edges) < 2:
                    return


def _write_table(path: Path, table: Any) -> None:
    from pyarrow import parquet

    path.parent.mkdir(parents=True)
    parquet.write_table(table, path, compression="lz4", store_schema=False)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _object(path: Path) -> dict[str, Any]:
    return read_object(path) if path.exists() else {}
