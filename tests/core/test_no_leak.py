"""Nothing that a model sees of a session gives its label away, on the four real datasets.

What a model sees is the first message and the results of its calls. Every tool is called on sessions of the dataset,
and again after the session's own subject was changed beyond recognition: labels, samples and features. Not a byte of
any result may change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from core.datasets.importing import import_dataset
from core.datasets.standard import StandardDataset, open_dataset
from core.workspace import open_workspace
from tests import slices
from tests.core.analyst.analyst_threads import run_thread
from tools.builtin import BUILTIN
from tools.features import Table
from tools.measured import Measurements
from tools.registry import MAX_RESULT_BYTES, ToolContext, call
from tools.session import Channel, Dataset, FeatureTable, Window

pytestmark = pytest.mark.skipif(
    not slices.FOLDER.is_dir(), reason=f"the real slices are not here: {slices.FOLDER} is no folder"
)


@dataclass
class Scrambled:
    """A dataset whose sessions of one subject, but for one, are noise under other labels."""

    real: StandardDataset
    exempt: str
    labels: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    table: Table | None = None
    measured: Measurements | None = None

    def __post_init__(self) -> None:
        subject = self.real.subjects[self.exempt]
        table = self.real.features()
        values = table.values.copy()
        own = [row for row, session in enumerate(table.sessions) if self.real.subjects[session] == subject]
        values[own, 1:] = np.random.default_rng(0).normal(0, 50, (len(own), values.shape[1] - 1))
        self.table = Table(table.names, table.sessions, values)
        measured = self.real.measurements()
        numbers = measured.values.copy()
        own = [row for row, session in enumerate(measured.sessions) if self.real.subjects[session] == subject]
        numbers[own] = np.random.default_rng(1).normal(0, 50, (len(own), numbers.shape[1]))
        self.measured = Measurements(measured.names, measured.sessions, numbers)
        self.labels = {session: list(labels) for session, labels in self.real.labels.items()}
        for session in self.labels:
            if self.real.subjects[session] == subject:
                self.labels[session] = ["a label that nobody has"]

    name = property(lambda self: self.real.name)
    title = property(lambda self: self.real.title)
    description = property(lambda self: self.real.description)
    activities = property(lambda self: self.real.activities)
    subjects = property(lambda self: self.real.subjects)

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.real.channels

    def load(self, session: str) -> Window:
        assert session == self.exempt, "no tool has any business with another session's samples"
        return self.real.load(session)

    def features(self) -> Table:
        assert self.table is not None
        return self.table

    def measurements(self) -> Measurements:
        assert self.measured is not None
        return self.measured

    def cached(
        self, table: FeatureTable, about: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        return make()


ENOUGH = 72
"""Sessions of a dataset: every label is among so many, of several people; all that are there would be measured."""


@cache
def _folder(base: Path, name: str) -> Path:
    workspace = open_workspace(str(base), environ={})
    folder = import_dataset(workspace, name, SLICES[name](base / "raw")).folder
    labels = json.loads((folder / "labels.json").read_text())
    some = dict(list(labels.items())[:: -(-len(labels) // ENOUGH)])
    (folder / "labels.json").write_text(json.dumps(some))
    return base


def _longer_mhealth(base: Path) -> Path:
    """The slice's rows are too few for windows: each is repeated, a little changed, in the same layout."""
    import zipfile

    folder = base / "MHEALTHDATASET"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    with zipfile.ZipFile(slices.FOLDER / "mhealth_rows.zip") as packed:
        for member in packed.namelist():
            if not member.endswith(".log"):
                continue
            rows = [line.split() for line in packed.read(member).decode("ascii").splitlines() if line.strip()]
            lines: list[str] = []
            for row in rows:
                values = np.array(row[:-1], dtype=float)
                for _ in range(400):
                    noisy = values + random.normal(0, 0.02 * (np.abs(values) + 0.01))
                    lines.append("\t".join([*(f"{value:.5g}" for value in noisy), row[-1]]))
            (folder / Path(member).name).write_text("\n".join(lines) + "\n")
    return folder


SLICES: dict[str, Callable[[Path], Path]] = {
    "uci_har": slices.uci_har,
    "pamap2": lambda _folder: slices.FOLDER / "pamap2_fragments.zip",
    "wisdm": slices.wisdm,
    "mhealth": _longer_mhealth,
}


@pytest.fixture(scope="module", params=sorted(SLICES))
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StandardDataset:
    base = _folder(tmp_path_factory.mktemp(request.param), request.param)
    return open_dataset(open_workspace(str(base), environ={}), request.param)


def chosen(real: StandardDataset, count: int) -> list[str]:
    sessions = real.features().sessions
    return [sessions[int(at)] for at in np.linspace(0, len(sessions) - 1, count)]


def answers(dataset: Any, session: str) -> list[str]:
    """What every tool says of a session, whole and in part."""
    context = ToolContext(cast("Dataset", dataset), session)
    first = [channel.name for channel in dataset.channels[:3]]
    contents: list[str] = []
    for artifact in ("session", None):
        if artifact is None:
            narrowed = call(BUILTIN, context, "select_channels", json.dumps({"channel_names": first}))
            contents.append(narrowed.content)
            artifact = narrowed.artifact_id or "session"
        for tool in BUILTIN:
            known = tool.parameters["properties"]
            if not tool.makes_artifact:
                arguments = {"artifact_id": artifact} if "artifact_id" in known else {}
                contents.append(call(BUILTIN, context, tool.name, json.dumps(arguments)).content)
    for tool in ("filter_by_time", "show_samples"):
        contents.append(call(BUILTIN, context, tool, '{"start_sec": 0, "end_sec": 1}').content)
    pair = json.dumps({"labels": list(dataset.activities[:2])})
    contents.append(call(BUILTIN, context, "look_up_ranges", pair).content)
    return contents


def test_no_result_rests_on_the_own_subject(real: StandardDataset):
    for session in chosen(real, 2):
        assert answers(real, session) == answers(Scrambled(real, session), session)


def test_no_result_is_long_or_names_a_session(real: StandardDataset):
    for session in chosen(real, 2):
        for text in answers(real, session):
            assert len(text.encode()) <= MAX_RESULT_BYTES, text
            assert "failed: " not in text, text
            assert session not in text


def test_the_label_is_seen_only_among_all_labels(real: StandardDataset):
    """In every message before the answer, the own label stands where the label set or other people's labels do."""
    for seed, session in enumerate(chosen(real, 6)):
        messages = run_thread(cast("Dataset", real), dict(real.manifest), session, seed=seed)
        label = real.labels[session][0]
        opening = json.loads(messages[1]["content"].split("\n", 1)[1].rsplit("\n\nUser Query", 1)[0])
        assert label in opening.pop("activities")
        assert f'"{label}"' not in json.dumps({**opening, "description": ""})
        for message in messages:
            if message["role"] == "tool":
                result = json.loads(message["content"])
                for key in (
                    "labels",
                    "distances",
                    "telling_features",
                    "votes",
                    "examples",
                    "labels_without_reference",
                    "features",
                ):
                    result.pop(key, None)
                assert f'"{label}"' not in json.dumps(result)


def test_what_others_labels_are_does_not_hang_on_the_own_label(real: StandardDataset):
    """The session alone relabelled: the whole thread stays the same to the last word."""

    session = chosen(real, 3)[1]
    before = run_thread(cast("Dataset", real), dict(real.manifest), session, seed=5)
    changed = Scrambled(real, session)
    assert run_thread(cast("Dataset", changed), dict(real.manifest), session, seed=5) == before
