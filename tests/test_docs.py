"""The documents' commands work as they stand, and what they name exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from core.cli.commands import sensorloom
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
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]
COMMAND = re.compile(r"^(?:\$ )?(sensorloom [a-z].*)$", re.MULTILINE)


def understood(group: click.Group, words: list[str]) -> None:
    """Read a command with its options and values, as it would be read. Raises click.UsageError."""
    command = group.get_command(click.Context(group), words[0])
    assert command is not None, f"there is no command {words[0]}"
    if isinstance(command, click.Group):
        understood(command, words[1:])
    else:
        command.make_context(words[0], words[1:])


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
def test_commands_that_a_page_shows_are_taken_as_they_stand(page: str):
    blocks = "\n".join(FENCED.findall((ROOT / page).read_text())).replace("\\\n", " ")
    for line in COMMAND.findall(blocks):
        understood(sensorloom, shlex.split(line.split(" < ")[0], comments=True)[1:])


@pytest.mark.parametrize("page", PAGES)
def test_python_that_a_page_shows_is_python(page: str):
    for program in PYTHON_BLOCK.findall((ROOT / page).read_text()):
        compile(program, page, "exec")


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
