"""The synthetic dataset: the same for a seed, honest about itself, neither trivial nor hopeless."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions
from core.datasets.standard import StandardDataset, open_dataset
from core.workspace import Workspace
from tools.features import DURATION, for_comparison


@pytest.fixture
def demo(workspace: Workspace) -> StandardDataset:
    import_dataset(workspace, "demo")
    return open_dataset(workspace, "demo")


def test_it_is_what_a_fresh_machine_needs(demo: StandardDataset) -> None:
    assert demo.synthetic
    assert "no person was recorded" in demo.description
    assert 300 <= len(demo.sessions) <= 500
    assert len(set(demo.subjects.values())) >= 8
    assert set(Counter(labels[0] for labels in demo.labels.values())) == set(demo.activities)
    window = demo.load(demo.sessions[0])
    assert [(channel.unit, channel.rate_hz) for channel in window.channels] == [("m/s²", 50)] * 3 + [("rad/s", 50)] * 3
    assert np.isfinite(window.values).all()


def test_a_seed_gives_the_same_bytes_and_another_one_others(workspace: Workspace) -> None:
    def imported(name: str, seed: int | None) -> dict[str, bytes]:
        import_dataset(workspace, "demo", name=name, options=ImportOptions(seed=seed))
        folder = workspace.data / name
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = imported("a", None)
    assert imported("b", 0) == first
    assert imported("c", 1)["sessions/s01_0001/data.parquet"] != first["sessions/s01_0001/data.parquet"]


def test_gravity_is_felt_at_rest_and_steps_when_walking(demo: StandardDataset) -> None:
    for session in demo.sessions[::7]:
        acceleration = np.linalg.norm(demo.load(session).values[:3], axis=0)
        assert 8.8 < acceleration.mean() < 12.5
        assert (acceleration.std() > 0.5) == demo.labels[session][0].startswith("walking")


def test_other_subjects_tell_most_of_it_but_not_all(demo: StandardDataset) -> None:
    table = demo.features()
    columns = [column for column, name in enumerate(table.names) if name != DURATION]
    values = np.nan_to_num(for_comparison([table.names[column] for column in columns], table.values[:, columns]))
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    labels = np.array([demo.labels[session][0] for session in table.sessions])
    subjects = np.array([demo.subjects[session] for session in table.sessions])
    right = 0
    for subject in np.unique(subjects):
        own = subjects == subject
        centres = np.array([values[~own & (labels == label)].mean(axis=0) for label in demo.activities])
        nearest = np.linalg.norm(values[own][:, None] - centres, axis=2).argmin(axis=1)
        right += int((np.array(demo.activities)[nearest] == labels[own]).sum())
    assert 0.65 < right / len(labels) < 0.95


def test_no_id_gives_the_activity_away(demo: StandardDataset) -> None:
    places: dict[str, list[int]] = {}
    for session, (label,) in demo.labels.items():
        assert label not in session
        places.setdefault(label, []).append(int(session.split("_")[1]))
    for numbers in places.values():
        assert 15 < np.mean(numbers) < 28  # 21.5 by chance, between 4 and 39 in recorded order
