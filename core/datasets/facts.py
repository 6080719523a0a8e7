"""What a dataset states of its sessions beside their labels, in `facts.json`: the truth of questions that ask for it.

    {"s01_0003": {"steps": 9}, "s01_0007": {"changes_sec": [2.56]}, "s01_0012": {"faulty_sensor": "gyro"}}

`steps` is how many steps were made, `changes_sec` the times in seconds from the start at which the activity changes,
`faulty_sensor` the sensor with a fault, or `none`. The file may be missing, and leave out any session. No model is
shown it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.datasets.standard import StandardDataset, read_object

FACTS = "facts.json"


def facts_of(dataset: StandardDataset) -> Mapping[str, Mapping[str, Any]]:
    """By session, what the dataset states of it; empty without that file. Raises DatasetError where it is damaged."""
    path = dataset.folder / FACTS
    try:
        status = path.stat()
    except OSError:
        return {}
    return _read(path, status.st_mtime_ns, status.st_size)


def holds_several(dataset: StandardDataset, session: str) -> bool:
    """Whether the dataset states that a session holds more than one activity. Raises DatasetError."""
    return bool(facts_of(dataset).get(session, {}).get("changes_sec"))


@lru_cache(maxsize=8)
def _read(path: Path, mtime_ns: int, size: int) -> Mapping[str, Mapping[str, Any]]:
    return {session: stated for session, stated in read_object(path).items() if isinstance(stated, dict)}
