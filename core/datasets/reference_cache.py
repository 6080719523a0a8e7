"""What is made of a dataset's whole feature table, kept in files beside it, so that it is made once and not in every
process: other people's statistics, one file for each person left out and set of features.

A file's name begins with a digest of all that it rests on, the table, the labels and who the subjects are; those of
another content are taken away when the next one is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from core.datasets.array_files import only_maker, read_arrays, write_arrays
from core.datasets.feature_table import Measured, cache_name
from core.storage.atomic import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.session import FeatureTable

CACHED_BYTES = 512 * 2**20
"""Of the files of one dataset; beyond, the oldest are taken away."""


def cached_arrays(
    dataset: Measured, table: FeatureTable, about: str, make: Callable[[], Mapping[str, NDArray[Any]]]
) -> Mapping[str, NDArray[Any]]:
    """What `make` gives of this table of the dataset and its labels and subjects, from its file where there is one.

    Args:
        dataset: whose it is.
        table: what it is made of.
        about: what tells it from all else that is made of them.
        make: makes it; asked by one process at a time. What it raises is raised here, and nothing is kept.
    """
    folder, basis, key = dataset.cache / f"{cache_name(dataset)}-references", _basis(dataset, table), about.encode()
    name = digest(key)
    path = folder / f"{basis[:16]}-{name[:32]}.npz"
    cached = read_arrays(path, key)
    if cached is not None:
        return cached
    # few locks, as each is a file that stays: two that share one wait for each other now and then
    with only_maker(folder / f".{name[0]}.lock", lambda: None) as waited:
        cached = read_arrays(path, key) if waited else None
        if cached is None:
            cached = make()
            write_arrays(path, key, cached)
            _tidy(folder, basis[:16])
    return cached


@lru_cache(maxsize=4)
def _basis(dataset: Measured, table: FeatureTable) -> str:
    """A digest of all that it rests on."""
    import numpy as np

    basis_json = msgspec.json.encode([table.names, table.sessions, dict(dataset.labels), dict(dataset.subjects)])
    return digest(basis_json + hashlib.sha256(np.ascontiguousarray(table.values).data).digest())


def _tidy(folder: Path, basis: str) -> None:
    """Take away what rests on another content, and the oldest beyond what is kept."""
    with suppress(OSError):  # another process may take the same away
        files = sorted((path.stat().st_mtime_ns, path.stat().st_size, path) for path in folder.glob("*.npz"))
        total = 0
        for _, size, path in reversed(files):
            total += size
            if total > CACHED_BYTES or not path.name.startswith(basis):
                path.unlink(missing_ok=True)
