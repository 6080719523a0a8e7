"""HAPT, from files in the original layout and from the real slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import open_dataset
from core.errors import DatasetError
from core.workspace import Workspace


def rows(count: int, first: float = 0.0) -> str:
    return "\n".join(f"{first + row / 1000} 0.5 -1.2e-02" for row in range(count))


def test_labels_say_which_rows_belong_to_which_activity(workspace: Workspace, zipped: Callable[..., Path]) -> None:
    files = {
        "RawData/acc_exp07_user04.txt": rows(700),
        "RawData/gyro_exp07_user04.txt": rows(698),
        "RawData/acc_exp08_user04.txt": rows(10),
        "RawData/labels.txt": "7 4 5 101 356\n7 4 7 357 500\n7 4 99 501 520\nno numbers\n",
    }
    report = import_dataset(workspace, "hapt", zipped(files))
    assert report.activities == {"standing": 2, "stand_to_sit": 1}
    assert report.dropped == {
        "files without the other sensor's": 1,
        "lines of labels.txt that are no five numbers": 1,
        "rows of one sensor alone": 2,
        "rows too few for a window, at the end of a stretch": 144 - 128,
        "rows without a label": 698 - 256 - 144,
        "stretches of an unknown activity": 1,
    }
    dataset = open_dataset(workspace, "hapt")
    standing = sorted(
        float(dataset.load(session).values[0, 0]) for session, own in dataset.labels.items() if own == ("standing",)
    )
    np.testing.assert_allclose(standing, [0.1, 0.228], atol=1e-6)
    assert {*dataset.subjects.values()} == {"user04"}


def test_another_folder_is_one_sentence(workspace: Workspace, zipped: Callable[..., Path]) -> None:
    with pytest.raises(DatasetError, match="is no HAPT dataset"):
        import_dataset(workspace, "hapt", zipped({"RawData/labels.txt": "1 1 5 250 1232"}))


def test_the_real_recordings_have_activities_and_transitions(workspace: Workspace, real: Callable[[str], Path]) -> None:
    report = import_dataset(workspace, "hapt", real("hapt.zip"), options=ImportOptions(overlap=0.5))
    assert report.subjects == 2 and {"walking", "laying", "stand_to_sit", "lie_to_stand"} <= report.activities.keys()
