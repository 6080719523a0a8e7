"""An import is whole or not there: refusing, replacing, interrupting, going on."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from pyarrow import parquet

from core.datasets.importing import alone, import_dataset
from core.datasets.plan import ImportOptions, ImportStoppedError
from core.datasets.standard import dataset_names, open_dataset
from core.errors import DatasetError, UsageError
from core.workspace import Workspace

Zipped = Callable[..., Path]
ROOT = Path(__file__).parents[3]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def several_subjects(zipped: Zipped) -> Path:
    """An MHEALTH archive of six subjects."""
    return zipped(
        {
            f"mHealth_subject{subject}.log": "".join(
                "\t".join([f"{subject}.{row % 97}"] * 23 + [str(row // 500 + 1)]) + "\n" for row in range(2000)
            )
            for subject in range(1, 7)
        }
    )


def test_a_dataset_that_is_there_is_not_touched(workspace: Workspace) -> None:
    import_dataset(workspace, "demo")
    before = files_of(workspace.data)
    with pytest.raises(UsageError, match="there is a dataset demo already; add --replace"):
        import_dataset(workspace, "demo", options=ImportOptions(seed=2))
    assert files_of(workspace.data) == before
    import_dataset(workspace, "demo", name="demo2", options=ImportOptions(seed=2))
    assert dataset_names(workspace) == ["demo", "demo2"]


def test_replacing_keeps_the_old_one_beside_it(workspace: Workspace) -> None:
    import_dataset(workspace, "demo")
    before = files_of(workspace.data / "demo")
    report = import_dataset(workspace, "demo", options=ImportOptions(seed=2), replace=True)
    assert report.replaced is not None
    assert files_of(report.replaced) == before
    assert files_of(workspace.data / "demo") != before
    assert dataset_names(workspace) == ["demo"]


@pytest.mark.parametrize("renames", [1, 2])
def test_a_replacing_import_that_is_killed_leaves_a_dataset_under_the_name(workspace: Workspace, renames: int) -> None:
    import_dataset(workspace, "demo")
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from core.datasets.importing import import_dataset\n"
        "from core.workspace import open_workspace\n"
        "workspace, renames = open_workspace(sys.argv[1]), []\n"
        "def end(event, arguments):\n"
        "    if event == 'os.rename' and Path(arguments[0]).parent == workspace.data:\n"
        "        if len(renames) == int(sys.argv[2]):\n"
        "            os._exit(9)\n"
        "        renames.append(arguments)\n"
        "sys.addaudithook(end)\n"
        "import_dataset(workspace, 'demo', replace=True)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(workspace.root), str(renames)], cwd=ROOT, check=False)
    assert dataset_names(workspace) == ["demo"]
    assert open_dataset(workspace, "demo").labels


def test_a_channel_that_is_the_label_is_refused(workspace: Workspace, zipped: Zipped) -> None:
    def rows(subject: int) -> str:
        return "".join(
            "\t".join([f"{subject}.{row % 97}"] * 22 + [str(row // 500 + 1)] * 2) + "\n" for row in range(2000)
        )

    path = zipped({f"mHealth_subject{subject}.log": rows(subject) for subject in (1, 2)})
    with pytest.raises(DatasetError, match="it is the label, not a sensor; take it out of the raw files"):
        import_dataset(workspace, "mhealth", path)
    assert list(workspace.data.iterdir()) == []


def test_a_replacement_that_fails_leaves_the_old_one(workspace: Workspace, zipped: Zipped) -> None:
    import_dataset(workspace, "demo")
    before = files_of(workspace.data)
    with pytest.raises(DatasetError):
        import_dataset(workspace, "mhealth", zipped({"mHealth_subject1.log": "1\t2\n"}), name="demo", replace=True)
    assert files_of(workspace.data) == before


@pytest.mark.parametrize(
    ("kind", "path", "options", "sentence"),
    [
        ("pamap", None, {}, "did you mean `pamap2`"),
        ("uci_har", None, {}, "name it after `uci_har`"),
        ("demo", Path("raw.zip"), {}, "reads no file"),
        ("demo", None, {"overlap": 0.5}, "demo takes no --overlap: it takes --seed"),
        ("mhealth", Path("raw.zip"), {"seed": 1}, "mhealth takes no --seed: it takes --length, --overlap"),
    ],
)
def test_a_wrong_request_is_one_sentence(
    workspace: Workspace, kind: str, path: Path | None, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        import_dataset(workspace, kind, path, options=ImportOptions(**options))
    assert not workspace.data.exists()


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", ""])
def test_a_name_cannot_leave_the_data_folder(workspace: Workspace, name: str) -> None:
    if name:
        with pytest.raises(UsageError, match="no plain folder name"):
            import_dataset(workspace, "demo", name=name)
    assert not workspace.data.exists()


def stop(done: int, total: int, what: str) -> None:
    """Progress that a person watches, and presses ctrl+c past the middle."""
    if done > total / 2:
        raise KeyboardInterrupt


def test_an_interrupted_import_goes_on(workspace: Workspace, several_subjects: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        import_dataset(workspace, "mhealth", several_subjects, progress=stop)
    assert dataset_names(workspace) == []
    report = import_dataset(workspace, "mhealth", several_subjects)
    assert report.sessions == 48 and 0 < report.resumed < 48
    import_dataset(workspace, "mhealth", several_subjects, name="at_once")
    assert files_of(workspace.data / "mhealth") == files_of(workspace.data / "at_once")


def test_an_import_that_a_person_stops_leaves_nothing(workspace: Workspace, several_subjects: Path) -> None:
    told: list[tuple[int, int]] = []

    def stop_in_a_file(done: int, total: int, _what: str) -> None:
        told.append((done, total))
        if len(told) > 3 and told[-1] == told[-2] and done:
            raise ImportStoppedError("stopped")

    before = {path.name for path in workspace.data.parent.rglob("*")}
    with pytest.raises(ImportStoppedError):
        import_dataset(workspace, "mhealth", several_subjects, progress=stop_in_a_file)
    assert {path.name for path in workspace.data.parent.rglob("*")} - before <= {workspace.data.name}


def test_what_was_begun_otherwise_is_begun_anew(workspace: Workspace, several_subjects: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        import_dataset(workspace, "mhealth", several_subjects, progress=stop)
    report = import_dataset(workspace, "mhealth", several_subjects, options=ImportOptions(length_sec=2))
    assert (report.sessions, report.resumed) == (6 * 4 * 5, 0)
    dataset = open_dataset(workspace, "mhealth")
    assert {len(dataset.load(session).time_sec) for session in list(dataset.labels)[:9]} == {100}


def test_a_killed_import_leaves_no_dataset_and_goes_on(workspace: Workspace, several_subjects: Path) -> None:
    slow = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from core.datasets.importing import import_dataset\n"
        "from core.workspace import open_workspace\n"
        "def pause(done, total, what):\n"
        "    time.sleep(0.2 if done else 0)\n"
        "import_dataset(open_workspace(sys.argv[1]), 'mhealth', Path(sys.argv[2]), progress=pause)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", slow, str(workspace.root), str(several_subjects)], cwd=ROOT)
    done = workspace.data / ".mhealth.partial/done"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (done.is_dir() and len(list(done.glob("*.json"))) >= 2):
        time.sleep(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert dataset_names(workspace) == []
    report = import_dataset(workspace, "mhealth", several_subjects)
    assert report.resumed >= 16
    import_dataset(workspace, "mhealth", several_subjects, name="at_once")
    assert files_of(workspace.data / "mhealth") == files_of(workspace.data / "at_once")
    assert sorted(entry.name for entry in workspace.data.iterdir()) == ["at_once", "mhealth"]


def test_a_full_disk_is_one_sentence_and_costs_nothing_done(
    workspace: Workspace, several_subjects: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = parquet.write_table, [0]

    def full(*args: Any, **options: Any) -> None:
        count[0] += 1
        if count[0] > 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(*args, **options)

    monkeypatch.setattr(parquet, "write_table", full)
    with pytest.raises(DatasetError, match="no space left on device; import again to go on"):
        import_dataset(workspace, "mhealth", several_subjects)
    assert dataset_names(workspace) == []
    monkeypatch.undo()
    assert import_dataset(workspace, "mhealth", several_subjects).resumed == 8


def test_a_subject_that_is_there_twice_is_not_mixed(workspace: Workspace, zipped: Zipped) -> None:
    rows = "".join("\t".join(["1.5"] * 23 + ["4"]) + "\n" for _ in range(250))
    path = zipped({"a/mHealth_subject1.log": rows, "b/mHealth_subject1.log": rows})
    with pytest.raises(DatasetError, match=r"mHealth_subject1.log is there twice, as a/\S+ and as b/"):
        import_dataset(workspace, "mhealth", path)
    assert list(workspace.data.iterdir()) == []


def test_two_imports_of_one_name_do_not_meet(workspace: Workspace) -> None:
    workspace.data.mkdir()
    with FileLock(workspace.data / ".demo.lock"), pytest.raises(UsageError, match="changed by another program"):
        import_dataset(workspace, "demo")
    (workspace.root / "file").touch()
    with pytest.raises(DatasetError, match="nothing was changed"), alone(workspace.root / "file", "x"):
        pass


def test_progress_goes_from_nothing_to_everything(workspace: Workspace, several_subjects: Path) -> None:
    seen: list[tuple[int, int]] = []
    import_dataset(workspace, "mhealth", several_subjects, progress=lambda done, total, _: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[0][0] == 0
    assert seen[-1][0] == seen[-1][1] > 0


def test_where_it_came_from_is_kept_out_of_the_manifest(workspace: Workspace, several_subjects: Path) -> None:
    import_dataset(workspace, "mhealth", several_subjects)
    folder = workspace.data / "mhealth"
    provenance = json.loads((folder / "import.json").read_text())
    assert provenance["imported_from"] == "raw.zip"
    assert "Banos" in provenance["source"]
    assert provenance["length_sec"] == 5
    assert set(json.loads((folder / "manifest.json").read_text())) == {
        "dataset_name", "description", "activities", "channels",
    }  # fmt: skip


def test_a_file_that_stands_twice_under_one_name_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("mHealth_subject1.log", "1")
        archive.writestr("mHealth_subject1.log", "2")
    with pytest.raises(DatasetError, match=r"mHealth_subject1.log is there twice, under one name"):
        import_dataset(workspace, "mhealth", path)
    assert dataset_names(workspace) == []


def test_an_archive_that_would_fill_the_disk_is_refused_before_it_is_read(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for subject in range(1, 11):
            archive.writestr(f"mHealth_subject{subject}.log", "1")
            archive.filelist[-1].file_size = 4_000_000_000
    with pytest.raises(DatasetError, match="would unpack to 40 GB, and 32 GB at most"):
        import_dataset(workspace, "mhealth", path)
    assert dataset_names(workspace) == []
