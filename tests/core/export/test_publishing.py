"""A dataset repository on disk: what the card tells is true, and another program's folder is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.cli.commands import run_command
from core.errors import UsageError
from core.export.publishing import publish
from core.export.report import ExportRequest
from core.export.run import export
from core.export.split import parse_split
from core.storage.export_log import log_stamp

from .threads import MANIFEST, document, rows, workspace


def test_a_publication_has_rows_by_split_the_same_as_parquet_and_a_card_of_facts(tmp_path: Path):
    documents = [document(number, session=f"train_{number}_1", truth="walking") for number in range(1, 9)]
    space = workspace(tmp_path, *documents)
    (space.data / "uci_har/sessions").mkdir(parents=True)
    (space.data / "uci_har/manifest.json").write_text(json.dumps({**MANIFEST, "license": "CC BY 4.0", "source": "UCI"}))
    (space.data / "uci_har/labels.json").write_text("{}")
    folder = tmp_path / "shared/walks"
    export(space, ExportRequest("openai_v1"))
    noted = log_stamp(space)
    done = publish(space, folder, ExportRequest("hf", split=parse_split("50/25/25")), "cc-by-4.0")
    sides = {path.stem: rows(path) for path in (folder / "data").iterdir()}
    assert set(sides) == {"train", "validation", "test"} and sum(map(len, sides.values())) == done.report.exported == 8
    for side, of_side in sides.items():
        columns = pq.read_table(folder / f"parquet/{side}.parquet").to_pylist()
        assert [json.loads(row["messages"]) for row in columns] == [row["messages"] for row in of_side]
    text = (folder / "README.md").read_text()
    assert (
        text.startswith('---\npretty_name: "walks"\nlicense: "cc-by-4.0"\n') and "path: data/validation.jsonl" in text
    )
    assert "| uci_har | 8 | Phone at the waist. | UCI | CC BY 4.0 |" in text and "- builtin-analyst: 8 threads" in text
    assert f"| train | {len(sides['train'])} | walking {len(sides['train'])} |" in text
    assert "No subject stands on two sides" in text and str(tmp_path) not in text
    told = json.loads((folder / "manifest.json").read_text())
    assert {file["path"] for file in told["files"]} == {f"data/{side}.jsonl" for side in sides}
    assert log_stamp(space) == noted, "what really left is known still, and this did not leave"
    assert not list(folder.glob(".publishing_*"))
    publish(space, folder, ExportRequest("hf"))
    assert [path.name for path in (folder / "data").iterdir()] == ["train.jsonl"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    space = workspace(tmp_path, document(1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x")
    with pytest.raises(UsageError, match=r"holds notes\.txt"):
        publish(space, tmp_path / "mine", ExportRequest("hf"))
    (space.data / "uci_har").mkdir(parents=True)
    (space.data / "uci_har/manifest.json").write_text(json.dumps(MANIFEST))
    with pytest.raises(UsageError, match=r"holds manifest\.json"):
        publish(space, space.data / "uci_har", ExportRequest("hf"))
    assert json.loads((space.data / "uci_har/manifest.json").read_text()) == MANIFEST
    assert run_command(["publish", str(tmp_path / "new"), "--workspace", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "hf upload YOU/new new --repo-type dataset" in told and "licence   of uci_har is not stated" in told
