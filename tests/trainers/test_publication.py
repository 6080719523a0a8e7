"""`datasets` reads a publication from its folder; skipped where no trainer's environment has it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.export.publishing import publish
from core.export.report import ExportRequest
from core.export.split import parse_split

from ..core.export.threads import workspace
from .test_proofs import TREE, varied

SCRIPT = """
import datasets, json, sys
rows = datasets.load_dataset(sys.argv[1])
texts = datasets.load_dataset("parquet", data_files={side: f"{sys.argv[1]}/parquet/{side}.parquet" for side in rows})
print(json.dumps({side: [len(rows[side]), len(texts[side])] for side in rows}))
assert json.loads(texts["train"][0]["messages"])[0]["content"] == rows["train"][0]["messages"][0]["content"]
"""


@pytest.mark.timeout(300)
def test_datasets_reads_the_folder_as_it_stands(tmp_path: Path):
    built = [done.parent for done in sorted((TREE / ".trainers").glob("*/.done"))]
    built = [folder for folder in built if list(folder.glob("lib/*/site-packages/datasets-5*"))]
    if not built:
        pytest.skip("no environment with datasets>=5; `make trainers` builds some")
    publish(workspace(tmp_path, *varied(8)), tmp_path / "shared", ExportRequest("hf", split=parse_split("60/20/20")))
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    command = [str(built[0] / "bin/python"), "-c", SCRIPT, str(tmp_path / "shared")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert ended.returncode == 0, ended.stderr[-2000:]
    counts = json.loads(ended.stdout.splitlines()[-1])
    assert set(counts) == {"train", "validation", "test"} and sum(rows for rows, _ in counts.values()) == 8
    assert all(rows == texts for rows, texts in counts.values())
