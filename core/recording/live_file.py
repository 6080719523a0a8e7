"""The samples of one sensor while they come: an Arrow IPC stream that is readable up to the last whole batch.

Tried against Parquet row groups and CSV (nine channels at 100 Hz): the row groups of a Parquet file cannot be read
before its footer is written, so a crash would lose all of them or every second would be a file; CSV takes three times
the bytes and a last line may be half of one that reads as whole. A stream of batches costs 15 µs and 220 bytes a batch
beside its numbers, and of a file that was cut anywhere every batch before the cut is read.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import DatasetError, system_reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENDING = ".arrow"
KEPT_SEC = 30.0
"""A reader begins so long before the end at least."""
_TIME, _SAMPLES = "time_ns", "samples"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of one sensor."""

    time_ns: NDArray[np.int64]
    """Shape (n,), rising, since 1970."""
    samples: NDArray[np.float32]
    """Shape (n, columns), NaN where one is missing."""


class LiveWriter:
    """Appends rows to a sensor's file; each batch is with the system when `append` returns."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Begin a file. Raises OSError."""
        import pyarrow as pa

        self.path = path
        self.columns = tuple(columns)
        self._schema = pa.schema(
            [(_TIME, pa.int64()), (_SAMPLES, pa.list_(pa.float32(), len(columns)))],
            metadata={"columns": json.dumps(list(columns))},
        )
        self._file = path.open("xb", buffering=0)
        self._sink: Any = _Whole(self._file)
        self._writer: Any = pa.ipc.new_stream(self._sink, self._schema)
        self._sink.send()
        self._recent: deque[tuple[int, int]] = deque()

    def append(self, time_ns: Sequence[int], samples: Sequence[Sequence[float]]) -> None:
        """Write some rows as one batch. Raises OSError: the disk is full, or failed."""
        import pyarrow as pa

        self._recent.append((time_ns[0], self._file.tell()))
        while len(self._recent) > 2 and self._recent[1][0] < time_ns[-1] - KEPT_SEC * 1e9:
            self._recent.popleft()
        flat = pa.array(np.asarray(samples, dtype=np.float32).ravel())
        arrays = [pa.array(time_ns, pa.int64()), pa.FixedSizeListArray.from_arrays(flat, len(self.columns))]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        self._sink.send()

    @property
    def checkpoint(self) -> int:
        """Where in the file a batch begins that is `KEPT_SEC` old; the first one in a younger file."""
        return self._recent[0][1] if self._recent else 0

    def sync(self) -> None:
        """Wait for the disk. Raises OSError."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """End it. What cannot be written any more is left out: a reader needs no end."""
        self._file.close()


class _Whole:
    """Gathers what Arrow writes in many small pieces, so that a batch goes to the system at once."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def flush(self) -> None:
        """Nothing: `send` writes."""

    def send(self) -> None:
        """Write what was gathered; what a full disk took of it in part is taken back."""
        data, self._parts = b"".join(self._parts), []
        before = self._file.tell()
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            self._file.truncate(before)
            raise


class LiveReader:
    """Reads a sensor's file while it grows."""

    def __init__(self, path: Path, checkpoint: int = 0) -> None:
        """Open it; batches before `checkpoint` are passed over. Raises DatasetError: it has no whole beginning yet."""
        import pyarrow as pa

        try:
            self._file = path.open("rb")
        except OSError as error:
            raise DatasetError(f"{path}: {system_reason(error)}") from error
        try:
            self._schema = pa.ipc.read_schema(pa.ipc.read_message(self._file))
            self.columns: tuple[str, ...] = tuple(json.loads(self._schema.metadata[b"columns"]))
        except (pa.ArrowException, OSError, EOFError, ValueError, KeyError, TypeError) as error:
            self._file.close()
            raise DatasetError(f"{path}: it has no beginning that can be read") from error
        self._at = max(checkpoint, self._file.tell())

    def rows(self) -> Iterator[Rows]:
        """The whole batches that came since the last call."""
        import pyarrow as pa

        while True:
            self._file.seek(self._at)
            try:
                message = pa.ipc.read_message(self._file)
                batch = pa.ipc.read_record_batch(message, self._schema)
                samples = batch.column(1).flatten().to_numpy().reshape(-1, len(self.columns))
                rows = Rows(batch.column(0).to_numpy(), samples)
            except (pa.ArrowException, OSError, EOFError, ValueError):
                return  # not there yet, or cut off
            self._at = self._file.tell()
            yield rows

    def close(self) -> None:
        """Close it."""
        self._file.close()
