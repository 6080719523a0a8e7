"""What an import really loads: the layers, and the libraries that must wait until they are needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLOW = {"openai", "httpx2", "pyarrow", "scipy", "plotext", "pydantic", "tinydb", "watchfiles", "jsonschema", "numpy"}
RUN_ELSEWHERE = ("probes", "environments")
"""Rooms whose modules are run by a trainer's own Python, beside its own packages."""
SILENCING = "core.processes.quiet"
"""Closes the output of whoever imports it, which processes of ours are forked from."""


def loaded_after(program: str) -> set[str]:
    """Top-level packages in `sys.modules` after a program ran in a fresh interpreter."""
    program += "\nimport sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


def modules(package: str) -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__main__.py"
        and path.parent.name not in ("probes", "environments")  # run by others' own Pythons
    )


@pytest.mark.parametrize(("package", "forbidden"), [("core", {"textual", "rich", "tui"}), ("tools", {"core", "tui"})])
def test_no_layer_loads_the_one_above_it(package: str, forbidden: set[str]):
    loaded = loaded_after("\n".join(f"import {name}" for name in modules(package) if name != SILENCING))
    assert not loaded & (forbidden | {"textual", "rich"})


def test_the_app_starts_without_the_slow_libraries():
    assert not loaded_after("import tui.app") & SLOW


def test_the_command_line_starts_without_the_slow_libraries():
    loaded = loaded_after(
        "import sys\nfrom tui.__main__ import run\n"
        "sys.stdout = sys.stderr\nrun(['--help'])\nsys.stdout = sys.__stdout__"
    )
    assert not loaded & (SLOW | {"textual"})


def test_version_is_told():
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--version"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0 and "sensorloom" in done.stdout
