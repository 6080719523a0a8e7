"""What a script imports from `core` itself is what its type says, and loads nothing before it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import core
from core import ExportRequest, Stored, check_thread, export_threads, open_workspace, parse_filter, read_all, select
from tests.core.export.threads import document, rows, workspace

ROOT = Path(__file__).parents[2]


def named_for_types() -> dict[str, tuple[str, str]]:
    """Name to home and name there, as the type checker reads them."""
    names: dict[str, tuple[str, str]] = {}
    for node in ast.walk(ast.parse(Path(core.__file__).read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("core."):
            names |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return names


def test_all_is_what_types_say():
    assert sorted(named_for_types()) == sorted(core.__all__) == dir(core)


@pytest.mark.parametrize("name", core.__all__)
def test_a_name_is_the_one_of_its_room_and_documented(name: str):
    home, name_there = named_for_types()[name]
    assert getattr(core, name) is getattr(import_module(home), name_there)
    assert getattr(core, name).__doc__


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = core.no_such_name


def test_importing_it_loads_nothing_of_it():
    program = "import core, sys; sys.exit(any(name.startswith('core.') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_a_script_reads_selects_checks_and_exports(tmp_path: Path):
    wrong = document(2)
    wrong["messages"][-1]["content"] = "Final Answer: sitting"
    space = open_workspace(str(workspace(tmp_path, document(1), wrong).root))
    threads = [stored.thread for stored in read_all(space.threads) if isinstance(stored, Stored)]
    assert [thread.id for thread in threads] == [document(1)["id"], document(2)["id"]]
    assert all(finding.sentence for thread in threads for finding in check_thread(thread))
    right = select(space.threads, core.summaries(space), parse_filter("correct:true", space))
    assert [summary.id for summary in right] == [document(1)["id"]]
    report = export_threads(space, ExportRequest(filter="status:finished tools>=2 correct:true"))
    assert [row["id"] for row in rows(report.path)] == [document(1)["id"]]
