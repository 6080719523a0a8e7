"""Pages of facts: listed and shown, read strictly, a person's own beside them; and what a page can say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli.commands import run_command
from core.datasets.presets.pages import as_table, presets
from core.datasets.standard import open_dataset
from core.datasets.tables.form import FORM_FILE, TableForm, read_form
from core.datasets.tables.paths import path_facts
from core.workspace import Workspace
from tests.core.datasets.presets.forms import lines, moved
from tests.core.datasets.presets.test_public_sets import written

ROOT = Path(__file__).parents[4]
OWN = """
title = "Our glove"
kind = "device"
about = "a glove of our laboratory"
source = "https://example.org/glove"

[signature]
columns = ["tick", "gx", "what"]

[read]
files = ["p{subject}/{label}_*.csv"]
rate_hz = 50.0
position = "right hand"
only = true

[read.channels]
"g{axis}" = { name = "acc_{axis}", unit = "g", about = "acceleration", factor = 0.001 }

[read.labels]
w = "walking"
"""


def command(workspace: Workspace, *arguments: str) -> int:
    return run_command(["datasets", *arguments, "--workspace", str(workspace.root)])


@pytest.fixture
def glove(tmp_path: Path) -> Path:
    rows = [[n, *acc, "x", 7.0] for n, acc in enumerate(moved(50, walking=True) * 1000)]
    head = "tick,gx,gy,gz,what,extra"
    return written(tmp_path / "raw", {f"p{who}/w_1.csv": lines(rows, head) for who in (1, 2)})


def test_presets_are_listed_and_shown(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(workspace, "presets") == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == [preset.name for preset in presets()]
    assert command(workspace, "presets", "harth") == 0
    assert "archive.ics.uci.edu/dataset/779" in capsys.readouterr().out
    assert command(workspace, "presets", "hart") == 1
    assert "did you mean harth?" in capsys.readouterr().err
    assert command(workspace, "presets", "harth", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["title"] == "HARTH"


def test_a_page_of_ones_own_reads_ones_own_files(
    workspace: Workspace, glove: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "presets").mkdir()
    (workspace.root / "presets" / "glove.toml").write_text(OWN)
    assert command(workspace, "import", "table", str(glove), "--look") == 0
    assert "read as the preset glove says (--preset none reads without it): Our glove" in capsys.readouterr().out
    (workspace.root / "presets" / "mitten.toml").write_text(OWN)
    assert command(workspace, "import", "table", str(glove), "--look", "--rate", "50") == 1
    assert "those of the presets glove and mitten, so that none is used; --preset" in capsys.readouterr().err
    (workspace.root / "presets" / "mitten.toml").unlink()
    assert command(workspace, "import", "table", str(glove), "--name", "mine") == 0
    dataset = open_dataset(workspace, "mine")
    assert [(each.name, each.unit) for each in dataset.channels] == [(f"acc_{axis}", "g") for axis in "xyz"]
    assert dataset.channels[2].description == "acceleration, right hand, z axis"
    assert {*dataset.subjects.values()} == {"1", "2"} and dataset.activities == ("walking",)
    kept_form = read_form(dataset.folder / FORM_FILE)
    assert kept_form.preset == "glove" and kept_form.channels["g{axis}"].factor == 0.001
    (workspace.root / "presets" / "glove.toml").unlink()
    assert command(workspace, "import", "table", str(glove), "--form", "mine", "--name", "again") == 0
    assert open_dataset(workspace, "again").channels == dataset.channels, "import.toml has all that the page said"


def test_what_a_person_says_goes_before_the_page(workspace: Workspace, glove: Path) -> None:
    (workspace.root / "presets").mkdir()
    (workspace.root / "presets" / "glove.toml").write_text(OWN)
    options = ("--preset", "glove", "--subject", "all:ann", "--unit", "acc=mg", "--name", "mine")
    assert command(workspace, "import", "table", str(glove), *options) == 0
    dataset = open_dataset(workspace, "mine")
    assert {*dataset.subjects.values()} == {"ann"} and {each.unit for each in dataset.channels} == {"mg"}
    (glove / "p1" / "w_1.csv").rename(glove / "p1" / "walk.csv")
    files = ("--preset", "glove", "--files", "{subject}/{label}.csv", "--name", "other")
    assert command(workspace, "import", "table", str(glove), *files) == 0
    assert [each.unit for each in open_dataset(workspace, "other").channels] == ["g"] * 3, "files alone are otherwise"


def test_without_presets_tables_are_looked_at(
    workspace: Workspace, glove: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "presets").mkdir()
    (workspace.root / "presets" / "glove.toml").write_text(OWN)
    options = ("--preset", "none", "--rate", "50", "--label", "all:x", "--look")
    assert command(workspace, "import", "table", str(glove), *options) == 0
    assert "preset" not in capsys.readouterr().out
    assert command(workspace, "import", "table", str(glove), "--preset", "glive") == 1
    assert "there is no preset glive; did you mean glove?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (("rate_hz = 50.0", 'rate_hz = "fast"'), "glove.toml: [read]: Expected `float`, got `str` - at `$.rate_hz`"),
        (("about =", "abuot ="), "unknown field `abuot`; its keys are title, kind, about"),
        (('kind = "device"', 'kind = "toy"'), "kind 'toy': there are app, device, public set"),
        (("only = true", "onyl = true"), "[read]: there is no setting 'onyl'; there are preset, source, files"),
        (("p{subject}", "p{who}"), "there is no {who}; there are label, subject, sensor, position, other"),
        (("factor =", "times ="), "unknown field `times`"),
        (("rate_hz = 50.0", "rate_hz = nan"), "--rate nan: rows a second, above 0"),
        (("rate_hz = 50.0", "overlap = 5.0"), "--overlap 5: a share from 0 to 0.95"),
        (("factor = 0.001", "factor = 0.0"), "a name is needed, and a factor that is a number other than 0"),
        (("g{axis}", "g{1-9}"), "g{1-9}: two or three columns are the axes of one sensor"),
        (("p{subject}", "*" * 9), "at most 8 `*`, `#` and words in braces"),
    ],
)
def test_a_page_that_is_wrong_says_where(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], changed: tuple[str, str], says: str
) -> None:
    (workspace.root / "presets").mkdir()
    (workspace.root / "presets" / "glove.toml").write_text(OWN.replace(*changed))
    assert command(workspace, "presets") == 1
    wrong = capsys.readouterr().err
    assert says in wrong and "glove.toml" in wrong and len(wrong.splitlines()) == 1


def test_a_page_that_is_wrong_stops_no_import_but_one_by_it(
    workspace: Workspace, glove: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "presets").mkdir()
    (workspace.root / "presets" / "glove.toml").write_text(OWN)
    (workspace.root / "presets" / "mitten.toml").write_text(OWN.replace("about =", "abuot ="))
    assert command(workspace, "import", "table", str(glove), "--look") == 0
    told = capsys.readouterr()
    assert "read as the preset glove says" in told.out
    assert "mitten.toml: Object contains unknown field `abuot`" in told.err and "the page is left out" in told.err
    assert command(workspace, "import", "table", str(glove), "--look", "--preset", "mitten") == 1
    wrong = capsys.readouterr().err
    assert "unknown field `abuot`" in wrong and len(wrong.splitlines()) == 1


def test_features_without_signals_are_refused_in_one_sentence(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "tBodyAcc-mean()-X,tBodyAcc-std()-X,subject,Activity"
    raw = written(tmp_path / "raw", {"train.csv": lines([[0.28, -0.99, 1, "STANDING"]] * 9, head)})
    assert command(workspace, "import", "table", str(raw)) == 1
    wrong = capsys.readouterr().err
    assert "561 features" in wrong and "`datasets import uci_har`" in wrong and len(wrong.splitlines()) == 1


def test_a_path_tells_label_subject_sensor_position_and_recording() -> None:
    template = "p{subject}/{sensor:acc|gyr}_{label}_#_{position}.csv"
    facts = path_facts("raw/p7/acc_stairs_up_2_left_wrist.csv", (template,))
    other = path_facts("raw/p7/gyr_stairs_up_2_chest.csv", (template,))
    assert facts and other and facts.recording == other.recording == "raw/p7/stairs_up_2"
    assert (facts.label, facts.subject, facts.sensor, facts.position) == ("stairs_up", "7", "acc", "left_wrist")
    assert path_facts("p7/mag_stairs_up_2_chest.csv", (template,)) is None


def test_a_form_is_kept_whole(tmp_path: Path) -> None:
    for preset in presets():
        (tmp_path / FORM_FILE).write_text(preset.form.text())
        assert read_form(tmp_path / FORM_FILE) == preset.form
    assert TableForm().text().strip() == ""


def test_the_page_about_datasets_has_the_table_of_presets() -> None:
    page = (ROOT / "docs/datasets.md").read_text()
    assert page.partition("<!-- presets -->\n")[2].partition("<!-- /presets -->")[0].strip() == as_table(presets())
