"""A reference is fitted once for whom it leaves out, and kept for the next process, until what it rests on changes."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.datasets import feature_table
from core.datasets.standard import StandardDataset, open_dataset
from core.workspace import Workspace
from tests.tools.made import made_dataset, write_dataset
from tools import fitted
from tools.features import DURATION
from tools.fitted import Reference, reference_for
from tools.memory_cache import MemoryCache


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    write_dataset(workspace.data / "made", made_dataset(subjects=4, each=1))
    return workspace.data / "made"


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each fit had."""
    seen: list[int] = []
    fit = fitted.fit

    def counted(rows: np.ndarray, *about: object) -> object:
        seen.append(len(rows))
        return fit(rows, *about)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(fitted, "fit", counted)
    return seen


def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    feature_table._recent.clear()  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(fitted, "_REFERENCES", MemoryCache[Reference](fitted.MEMORY_BYTES, lambda _: 1))


def reference(workspace: Workspace, session: str = "s0_0000", barred: frozenset[str] = frozenset()) -> Reference:
    dataset: StandardDataset = open_dataset(workspace, "made")
    columns = [name for name in dataset.features().names if name != DURATION]
    return reference_for(dataset, session, columns, barred)  # pyright: ignore[reportArgumentType]


def bits(of: Reference) -> tuple[object, ...]:
    space = of.discriminant
    arrays = (of.means, of.spreads, space.points, space.centres, space.middle, space.projection, space.row_labels)
    plain = (of.columns, of.counted, of.median_sec, of.units, space.labels)
    return (*plain, *(array.tobytes() for array in arrays))


def cache_files(workspace: Workspace) -> list[Path]:
    return sorted((workspace.private / "features").glob("made-*-references/*.npz"))


def test_the_next_process_fits_nothing_and_has_the_same_to_the_last_bit(
    workspace: Workspace, folder: Path, fits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted_now = [reference(workspace, session) for session in ("s0_0000", "s0_0001", "s1_0004")]
    assert fits == [12, 12], "two sessions of one person leave out the same"
    new_process(monkeypatch)
    again = [reference(workspace, session) for session in ("s0_0000", "s0_0001", "s1_0004")]
    assert fits == [12, 12]
    assert [bits(reread) for reread in again] == [bits(now) for now in fitted_now]


def test_who_else_is_left_out_has_a_reference_of_its_own(workspace: Workspace, folder: Path, fits: list[int]) -> None:
    everyone = reference(workspace)
    fewer = reference(workspace, barred=frozenset(("s1_0004", "s1_0005")))
    assert fits == [12, 10] and everyone.counted.sessions == 12 and fewer.counted.sessions == 10


def test_another_label_makes_it_anew_and_the_old_files_go(workspace: Workspace, folder: Path, fits: list[int]) -> None:
    before = reference(workspace)
    (old,) = cache_files(workspace)
    labels = json.loads((folder / "labels.json").read_text())
    labels["s1_0004"] = ["standing"]
    (folder / "labels.json").write_text(json.dumps(labels))
    after = reference(workspace)
    assert len(fits) == 2 and bits(after) != bits(before)
    (new,) = cache_files(workspace)
    assert new.name != old.name


def test_a_damaged_file_is_made_anew(
    workspace: Workspace, folder: Path, fits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = reference(workspace)
    (file,) = cache_files(workspace)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:400] + bytes(200) + whole[600:], b""):
        file.write_bytes(damaged)
        new_process(monkeypatch)
        assert bits(reference(workspace)) == bits(before)
    assert len(fits) == 4 and file.read_bytes() == whole


def test_those_who_ask_at_the_same_time_have_it_fitted_once(
    workspace: Workspace, folder: Path, fits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reference(workspace, "s1_0004")  # so that the table is there
    with ThreadPoolExecutor(8) as pool:
        every = list(pool.map(lambda _: reference(workspace, "s0_0000"), range(8)))
    assert len(fits) == 2 and all(other is every[0] for other in every)


def test_where_nothing_can_be_written_it_is_fitted_all_the_same(
    workspace: Workspace, folder: Path, fits: list[int]
) -> None:
    workspace.private.write_text("a file is in the way")
    assert reference(workspace).counted.sessions == 12 and len(fits) == 1
