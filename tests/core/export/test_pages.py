"""The pages about checks and training name what there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from core.export.profiles import PROFILES
from core.export.templates import TEMPLATE_FOLDER
from core.lint import CHECKS
from core.lint.duplicates import NAME
from core.lint.finding import UNREADABLE
from tests.tui.screens.test_same_command import leaves

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_of_checks_lists_each_of_them_and_what_fix_does():
    table = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", (DOCS / "lint.md").read_text(), re.MULTILINE))
    assert list(table) == [UNREADABLE, *(check.name for check in CHECKS), NAME]
    assert {name for name, fix in table.items() if "--fix" in fix} == {check.name for check in CHECKS if check.fix}


def test_the_page_of_training_names_every_profile_and_only_options_there_are():
    page = (DOCS / "training.md").read_text()
    assert all(f"`{name}`" in page for name in PROFILES)
    ours = {option for _, leaf in leaves() for parameter in leaf.params for option in parameter.opts}
    script = set(re.findall(r'"(--[a-z-]+)', (TEMPLATE_FOLDER / "trl_sft.py.txt").read_text()))
    assert set(re.findall(r"--[a-z][a-z-]+", page)) <= ours | script | {
        "--output",
        "--help",
        "--training",
        "--config",
    }  # of ms-swift, all, Oumi, torchtune
