"""`datasets import table`: a folder of one's own recordings becomes a dataset, with labels as people have them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cli.commands import run_command
from core.datasets.check import check_dataset
from core.datasets.standard import open_dataset
from core.workspace import Workspace

EPOCH_NS = 1698501144381773000
CASES = Path(__file__).parents[4] / "../shared/cases"


def run(workspace: Workspace, path: Path, *options: str) -> int:
    arguments = ["datasets", "import", "table", str(path), "--name", "mine", *options]
    return run_command([*arguments, "--workspace", str(workspace.root)])


def signal(
    seconds: float, rate: float, *, walking: bool, since: float = 0.0
) -> list[tuple[float, float, float, float]]:
    at = np.arange(round(seconds * rate)) / rate
    up = 9.8 + (3 * np.sin(2 * np.pi * 1.9 * at) if walking else 0.05 * np.sin(at))
    return [(float(t) + since, 0.1 * float(np.sin(t)), 0.2, float(u)) for t, u in zip(at, up, strict=True)]


def csv(rows: list[tuple[float, float, float, float]], head: str = "time,x,y,z") -> str:
    return "\n".join([head, *(",".join(f"{cell:.5f}" for cell in row) for row in rows)]) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of files."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / "raw" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "raw"

    return write


def labels(workspace: Workspace) -> dict[str, str]:
    return {session: own[0] for session, own in open_dataset(workspace, "mine").labels.items()}


def test_two_sensors_at_two_rates_and_an_annotation_file_become_sessions(
    workspace: Workspace, folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    def nanoseconds(rows: list[tuple[float, float, float, float]]) -> str:
        lines = (f"{EPOCH_NS + round(t * 1e9)},{t},{z},{y},{x}" for t, x, y, z in rows)
        return "\n".join(["time,seconds_elapsed,z,y,x", *lines])

    walk, rest = signal(11, 100, walking=True), signal(12, 100, walking=False, since=11)
    notes = [f"{EPOCH_NS + at * 10**9},{at},{label},80" for at, label in ((1, "walking"), (11, "sitting"))]
    raw = folder(
        **{
            "Accelerometer.csv": nanoseconds(walk + rest),
            "Gyroscope.csv": nanoseconds([(t, x, y, 0.1) for t, x, y, _ in (walk + rest)[::2]]),
            "Annotation.csv": "\n".join(["time,seconds_elapsed,text,millisecond_press_duration", *notes]),
        }
    )
    assert run(workspace, raw, "--look") == 0
    looked = capsys.readouterr().out
    assert "2 files, 1 recording" in looked and "walking 10 s" in looked and not (workspace.data / "mine").exists()
    assert run(workspace, raw) == 0
    assert sorted(labels(workspace).values()) == ["sitting", "sitting", "walking", "walking"]
    dataset = open_dataset(workspace, "mine")
    window = dataset.load(dataset.sessions[0])
    assert window.names == ("acc_x", "acc_y", "acc_z", "gyro_x", "gyro_y", "gyro_z")
    assert np.isfinite(window.values).all() and window.time_sec[-1] == pytest.approx(5, abs=0.02)
    assert "recorded at 50 Hz, interpolated" in dataset.channels[3].description
    assert not check_dataset(workspace, "mine").errors


LONG = signal(12, 50, walking=True) + signal(12, 50, walking=False, since=12)
INTERVALS = {
    "csv": ("run_labels.csv", "start,end,label\n0,12,walking\n12,24,sitting\n"),
    "audacity": ("run_labels.txt", "0.000000\t12.000000\twalking\n12.000000\t24.000000\tsitting\n"),
    "elan": (
        "run.eaf",
        '<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="b" '
        'TIME_VALUE="12000"/><TIME_SLOT TIME_SLOT_ID="c" TIME_VALUE="24000"/></TIME_ORDER><TIER TIER_ID="activity">'
        '<ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>walking'
        "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION><ANNOTATION><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="
        '"b" TIME_SLOT_REF2="c"><ANNOTATION_VALUE>sitting</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>'
        "</TIER></ANNOTATION_DOCUMENT>",
    ),
    "label studio": (
        "project.json",
        json.dumps(
            [
                {
                    "data": {"csv": "/data/upload/1/run.csv"},
                    "annotations": [
                        {
                            "result": [
                                {"value": {"start": 0, "end": 12, "timeserieslabels": ["walking"]}},
                                {"value": {"start": 12, "end": 24, "timeserieslabels": ["sitting"]}},
                            ]
                        }
                    ],
                }
            ]
        ),
    ),
}


@pytest.mark.parametrize("kind", INTERVALS)
def test_labelled_stretches_in_the_forms_of_common_programs(
    workspace: Workspace, folder: Callable[..., Path], kind: str
) -> None:
    name, text = INTERVALS[kind]
    assert run(workspace, folder(**{"run.csv": csv(LONG), name: text}), "--length", "4") == 0
    by_label = sorted(labels(workspace).values())
    assert by_label == ["sitting"] * 3 + ["walking"] * 3


def test_a_column_of_labels_and_one_of_subjects(workspace: Workspace, folder: Callable[..., Path]) -> None:
    both = [f"{t},{x},{y},{z},{'walking' if t < 12 else ''},7" for t, x, y, z in LONG]
    raw = folder(**{"all.csv": "\n".join(["t,acc_x,acc_y,acc_z,activity,subject_id", *both])})
    assert run(workspace, raw, "--length", "4") == 0
    assert [*labels(workspace).values()] == ["walking"] * 3
    dataset = open_dataset(workspace, "mine")
    assert {*dataset.subjects.values()} == {"7"}
    assert json.loads((dataset.folder / "import.json").read_text())["dropped"]["rows without a label"] == 600
    assert dataset.channels[0].name == "acc_x"


def test_folders_and_file_names_tell_labels_and_subjects_and_session_names_tell_neither(
    workspace: Workspace, folder: Callable[..., Path]
) -> None:
    files = {
        f"{label}/s{subject:02d}_{trial}.csv": csv(signal(6, 50, walking=label == "walking"))
        for label in ("sitting", "walking")
        for subject in (1, 2)
        for trial in (1, 2)
    }
    assert run(workspace, folder(**files)) == 0
    dataset = open_dataset(workspace, "mine")
    assert sorted(labels(workspace).values()) == ["sitting"] * 4 + ["walking"] * 4
    assert {*dataset.subjects.values()} == {"s01", "s02"}
    window = dataset.load(dataset.sessions[0])
    assert len(window.time_sec) == 300, "short recordings of one label stay whole"
    in_order = [label for _, label in sorted(labels(workspace).items())]
    assert in_order not in (sorted(in_order), sorted(in_order, reverse=True))


def test_first_words_of_file_names_are_people_where_that_is_said_and_a_unit_holds_for_all_recordings(
    workspace: Workspace, folder: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    still = signal(6, 50, walking=False)
    wild = [(t, 15 * x, y, 1.6 * z) for t, x, y, z in still]
    raw = folder(**{f"{label}/{who}_{trial}.csv": csv(rows, "time,wrist_acc_x,wrist_acc_y,wrist_acc_z")
                    for label, rows in (("idle", still), ("hammering", wild))
                    for who in ("anna", "ben") for trial in (1, 2)})  # fmt: skip
    assert run(workspace, raw) == 0
    assert "--subject says where they are named" in capsys.readouterr().out
    assert run(workspace, raw, "--subject", "file", "--replace") == 0
    dataset = open_dataset(workspace, "mine")
    assert {*dataset.subjects.values()} == {"anna", "ben"}
    assert {channel.unit for channel in dataset.channels} == {"m/s²"}
    assert "wrist_acc: m/s², as other recordings show" in capsys.readouterr().out


def test_what_was_decided_is_kept_and_reads_tomorrows_recordings(
    workspace: Workspace, folder: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = folder(**{"a.csv": csv([(t, x * 3, y * 3, z * 3) for t, x, y, z in LONG], "when,x,y,z")})
    decided = ("--time", "when", "--label", "all:walking", "--subject", "all:ann", "--unit", "sensor=ft/s²",
               "--length", "3", "--overlap", "0.5")  # fmt: skip
    assert run(workspace, raw, *decided) == 0
    (raw / "a.csv").rename(tmp_path / "tomorrow.csv")
    assert "time: column when, s since the start" in capsys.readouterr().out, "where nobody can be asked it is told"
    again = ["datasets", "import", "table", str(tmp_path / "tomorrow.csv"), "--form", "mine"]
    assert run_command([*again, "--workspace", str(workspace.root)]) == 0
    first, second = (open_dataset(workspace, name) for name in ("mine", "tomorrow"))
    assert first.channels == second.channels and first.channels[0].unit == "ft/s²"
    assert {*second.subjects.values()} == {"ann"} and second.activities == ("walking",)
    assert len(first.sessions) == len(second.sessions) == 15, "windows of 3 s, each half over the next"


def test_several_people_in_one_table_are_told_apart_and_its_other_columns_of_labels_are_no_channels(
    workspace: Workspace, folder: Callable[..., Path]
) -> None:
    walk, sit = signal(10, 50, walking=True), signal(10, 50, walking=False)
    rows = [
        f"{t},{x},{y},{z},{label},{number},{who}"
        for who, parts in (("ann", ((walk, "walking", 1), (sit, "sitting", 2))), ("bob", ((walk, "walking", 1),)))
        for part, label, number in parts
        for t, x, y, z in part
    ]
    raw = folder(**{"all.csv": "\n".join(["t,acc_x,acc_y,acc_z,activity,activity_id,subject", *rows])})
    assert run(workspace, raw) == 0
    dataset = open_dataset(workspace, "mine")
    assert {dataset.subjects[session] for session, label in labels(workspace).items() if label == "sitting"} == {"ann"}
    assert sorted(dataset.subjects.values()) == ["ann"] * 4 + ["bob"] * 2
    assert [channel.name for channel in dataset.channels] == ["acc_x", "acc_y", "acc_z"]


def test_a_short_recording_has_the_label_of_its_rows_or_none(workspace: Workspace, folder: Callable[..., Path]) -> None:
    short = csv(signal(8, 50, walking=True))
    notes = {
        "a_labels.csv": "start,end,label\n0,20,walking\n20,30,sitting\n",
        "b_labels.csv": "start,end,label\n50,60,sitting\n",
    }
    assert run(workspace, folder(**{"a.csv": short, "b.csv": short, **notes})) == 0
    assert [*labels(workspace).values()] == ["walking"]
    provenance = json.loads((workspace.data / "mine" / "import.json").read_text())
    assert provenance["dropped"]["recordings without a label"] == 1


@pytest.mark.parametrize(
    "notes",
    [
        {"run1-labels.csv": "start,end,label\n0,9,walking\n", "run10-labels.csv": "start,end,label\n0,9,sitting\n"},
        {"labels.csv": "file,start,end,label\np/x.csv,0,9,walking\nq/x.csv,0,9,sitting\n"},
    ],
    ids=["one name begins the other", "one name in two folders"],
)
def test_labels_go_to_the_recording_that_they_are_of(
    workspace: Workspace, folder: Callable[..., Path], notes: dict[str, str]
) -> None:
    names = ("p/x.csv", "q/x.csv") if "labels.csv" in notes else ("run1.csv", "run10.csv")
    walk, sit = (csv(signal(9, 50, walking=walking)) for walking in (True, False))
    assert run(workspace, folder(**{names[0]: walk, names[1]: sit, **notes})) == 0
    dataset = open_dataset(workspace, "mine")
    moves = {session: float(dataset.load(session).values[2].std()) > 1 for session in dataset.sessions}
    assert moves == {session: label == "walking" for session, label in labels(workspace).items()}
    assert sorted(moves.values()) == [False, True]


@pytest.mark.parametrize("head", ["t,x,y,z", "t,ax,ay,az"])
def test_gravity_in_one_recording_names_the_accelerometer_of_all(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], head: str
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    for name, shake in (("s01_sitting", 0.1), ("s01_running", 12.0)):
        rows = [f"{n / 50},{shake * (-1) ** n},{shake * (-1) ** (n // 2)},{9.81}" for n in range(400)]
        (raw / f"{name}.csv").write_text("\n".join([head, *rows]))
    arguments = ["datasets", "import", "table", str(raw), "--look", "--workspace", str(workspace.root)]
    assert run_command(arguments) == 0
    told = capsys.readouterr().out
    assert "channels: acc_x [m/s², 50 Hz], acc_y [m/s², 50 Hz], acc_z [m/s², 50 Hz]\n" in told
    assert "acc: m/s², as other recordings show" in told and "as you say" not in told


@pytest.mark.parametrize(
    ("files", "options", "says"),
    [
        ({"a.csv": csv(LONG)}, [], "nothing says what was done"),
        ({"a.csv": "t,x,y,z,mode\n" + "\n".join(f"{n / 50},0,0,1,go" for n in range(400))}, [], "(of text: mode)"),
        ({"a.csv": csv(LONG)}, ["--label", "column:nope"], "no file has a column 'nope'"),
        ({"a.csv": csv(LONG)}, ["--label", "guess"], "--label guess: there are folder"),
        ({"a.csv": csv(LONG)}, ["--label", "intervals"], "no file of labels is in it"),
        ({"a.csv": csv(LONG), "b.csv": csv(LONG), "labels.csv": "start,end,label\n0,9,run\n"}, [], "is not clear"),
        ({"read.me": "words"}, [], "no file in it holds rows of numbers"),
        ({"a.csv": csv(LONG)}, ["--form", "nowhere"], "nowhere"),
        ({"a.csv": csv(LONG), "labels.json": "{"}, [], "labels.json: its labels cannot be read"),
        ({"a.csv": csv(LONG), "labels.json": '{"a": ["sit"]}'}, [], "brought in by `sensorloom datasets get`"),
        ({"a.csv": csv(LONG)}, ["--label", "all:run", "--subject", "folder"], "the folder of a names nobody"),
        ({"a.csv": csv(LONG)}, ["--label", "all:run", "--drop", "nope"], "no file has a column 'nope' to drop"),
        ({"a.csv": csv(LONG)}, ["--label", "all:run", "--unit", "gyro=g"], "there is no sensor 'gyro'"),
        (
            {"a.csv": csv([(t + 1e12, x, y, z) for t, x, y, z in LONG])},
            ["--label", "all:run", "--time-unit", "s"],
            "is no time",
        ),
        ({"a.csv": csv(LONG), "a_labels.csv": "start,end,label\n0,9,run\n,12,sit\n"}, [], "row 2 has no start"),
    ],
)
def test_what_is_not_clear_is_one_sentence(
    workspace: Workspace,
    folder: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str],
    options: list[str],
    says: str,
) -> None:
    assert run(workspace, folder(**files), *options) != 0
    told = capsys.readouterr().err
    assert says in told and told.count("\n") == 1 and "Traceback" not in told
    assert not (workspace.data / "mine").exists()


def test_options_for_tables_are_refused_for_other_sets(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["datasets", "import", "demo", "--rate", "50", "--workspace", str(workspace.root)]) != 0
    assert "import table" in capsys.readouterr().err


@pytest.mark.skipif(not CASES.exists(), reason="the small inputs of public reports are not here")
@pytest.mark.parametrize("name", ["sensor_logger", "iso_zone.csv", "ACC.csv"])
def test_public_reports_inputs_are_a_dataset_in_one_command(workspace: Workspace, name: str) -> None:
    assert run(workspace, CASES / name, *([] if name == "sensor_logger" else ["--label", "all:walking"])) == 0
    assert not check_dataset(workspace, "mine").errors
