"""The records of both WISDM releases: `subject,activity,time in nanoseconds,x,y,z;`.

A record ends at its semicolon, not at the line's end: the older release has two records on some lines, stray
commas, records that stop in the middle and records of zeros.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.datasets.archive import RawFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_GAP_SEC = 0.5
"""The watches deliver in bursts, with pauses of up to 0.41 s inside an activity."""


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The whole records of a file, in its order."""

    subject: NDArray[np.int64]
    """Shape (n,)."""
    label: NDArray[np.int64]
    """Shape (n,)."""
    time_ns: NDArray[np.int64]
    """Shape (n,)."""
    values: NDArray[np.float32]
    """Shape (3, n): x, y, z."""

    def chosen(self, rows: NDArray[np.bool_]) -> Records:
        """Those of the rows that are true."""
        return Records(self.subject[rows], self.label[rows], self.time_ns[rows], self.values[:, rows])


def read_records(file: RawFile, labels: Mapping[bytes, int], *, gravity: bool, dropped: Counter[str]) -> Records:
    """Read a file's records.

    Args:
        file: the raw file.
        labels: the activity field to the label's number; records of others are dropped.
        gravity: whether the sensor always feels gravity, so that three zeros are no measurement.
        dropped: what is passed over is counted here.
    """
    subjects, codes, times, values = array("q"), array("q"), array("q"), array("f")
    for line in file.lines():
        for record in line.split(b";"):
            fields = record.strip(b" \t\r\n,").split(b",")
            if len(fields) == 1 and not fields[0]:
                continue
            try:
                subject, activity, time, x, y, z = fields
                whole = (int(subject), int(time), float(x), float(y), float(z))
            except ValueError:
                dropped["broken records"] += 1
                continue
            label = labels.get(activity.strip())
            if label is None:
                dropped["records of an unknown activity"] += 1
            elif whole[1] <= 0 or (gravity and not any(whole[2:])):
                dropped["records of zeros"] += 1
            else:
                subjects.append(whole[0])
                codes.append(label)
                times.append(whole[1])
                values.extend(whole[2:])
    return Records(
        np.array(subjects, dtype=np.int64),
        np.array(codes, dtype=np.int64),
        np.array(times, dtype=np.int64),
        np.array(values, dtype=np.float32).reshape(-1, 3).T,
    )
