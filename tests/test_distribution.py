"""`sensorloom-env`: the same files under one package name, none of which then imports `core` or `tools`."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_every_import_of_core_and_tools_is_rewritten():
    pytest.importorskip("hatchling", reason="hatchling builds the distribution, and is not installed here")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "distributions/env/hatch_build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    seen = 0
    for path in (path for room in ("core", "tools") for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(build.rewritten(path.read_text()))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            seen += sum(name.startswith("sensorloom.") for name in names)
            assert not [name for name in names if name.partition(".")[0] in ("core", "tools")], path
    assert seen > 500
