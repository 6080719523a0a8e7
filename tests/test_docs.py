"""The documents' commands work as they stand, and what they name exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tui.__main__ import run

ROOT = Path(__file__).parents[1]
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]


def commands(page: str) -> list[str]:
    """The `sensorloom` lines of a page's shell blocks, continued lines joined."""
    text = (ROOT / page).read_text()
    lines = "\n".join(SHELL_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return [line.split("  #")[0].strip() for line in lines if line.startswith("sensorloom ")]


def test_the_readme_works_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    lines = commands("README.md")
    assert len(lines) >= 5
    monkeypatch.chdir(tmp_path)
    for line in lines:
        capsys.readouterr()
        assert run(shlex.split(line)[1:]) == 0, f"{line}\n{capsys.readouterr()}"
    for program in PYTHON_BLOCK.findall((ROOT / "README.md").read_text()):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{program}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    for target in LINK.findall(FENCED.sub("", (ROOT / page).read_text())):
        assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


def test_make_targets_that_documents_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for line in re.findall(r"(?:^|`)make ([a-z -]+)", (ROOT / page).read_text(), re.MULTILINE):
            for name in line.split():
                assert name in targets, f"{page} names make {name}"
