"""A signal that is drawn, written in any form that is known, is read back as the same signal."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import tests.core.datasets.presets.forms as forms
from core.datasets.archive import open_raw
from core.datasets.presets.fitting import with_preset
from core.datasets.presets.pages import presets
from core.datasets.tables.form import TableForm
from core.datasets.tables.recordings import read_recording
from core.datasets.tables.survey import survey_of
from tests.core.datasets.presets.device_forms import DEVICES, Files
from tests.core.datasets.presets.test_apps_and_devices import EXPECTED, zipped

READABLE = [name for name, expected in EXPECTED.items() if not expected[4] or importlib.util.find_spec(expected[4])]
KNOWN = presets()
SETS = ["harth", "sisfall", "dsads", "hapt_raw"]
"""Public sets with gravity in their first acceleration, one of each way to write it."""


@pytest.fixture(scope="module")
def gait() -> Generator[forms.Gait]:
    own = forms.gait
    before = forms.Gait(own.hz, own.lift)
    yield own
    own.hz, own.lift = before.hz, before.lift


@given(st.sampled_from([*READABLE, *SETS]), st.floats(0.5, 2.5), st.floats(0.05, 0.5))
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_a_drawn_signal_is_read_back(gait: forms.Gait, name: str, hz: float, lift: float) -> None:
    gait.hz, gait.lift = hz, lift
    files: Files = DEVICES[name]() if name in DEVICES else {**forms.FORMS[name]()}
    with TemporaryDirectory() as folder, open_raw(zipped(Path(folder) / "raw.zip", files), Path(folder) / "s") as raw:
        form = with_preset(raw, TableForm(), KNOWN)
        survey = survey_of(raw, form)
        source = next(source for source in survey.sources if not {"D05", "F05", "a01"} & {*source.name.split("/")})
        recording = read_recording(source, form, (), Counter())
        names = [channel.name for channel in recording.channels]
        at = next(row for row, own in enumerate(names) if own.endswith("acc_x"))
        unit = {"m/s²": forms.GRAVITY, "mg": 1000.0}.get(recording.channels[at].unit, 1.0)
        seconds = (recording.time_ns - recording.time_ns[0]) / 1e9
        rows = seconds < 4.5
        read = recording.values[at : at + 3, rows] / unit
    since = 10.0 if name == "empatica_e4" else 0.0
    written = forms.moved(2000, walking=True, seconds=20)[np.round((seconds[rows] + since) * 2000).astype(int)].T
    if any(not channel.name.endswith(("x", "y", "z")) for channel in recording.channels):  # joined with a faster one
        rows = np.isfinite(read).all(axis=0)
        read, written = read[:, rows], written[:, rows]
    assert names[at + 2].endswith("acc_z")
    assert np.abs(read - written).max() < 0.03
