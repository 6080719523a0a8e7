"""Shared by all tests: text that breaks a screen which trusts it, and an isolated home."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from core.datasets.importing import import_dataset
from core.datasets.standard import open_dataset
from core.trust import acts_of, keep_answer
from core.workspace import open_workspace

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")  # how long an example takes tells only how busy the machine is

HOSTILE = [
    "[@click=app.bell]press[/]",
    "[ @click=app.bell]press[/]",
    "see [/tmp/x] and arr[i][j] [red]R[/red]",
    "retitle \x1b]0;owned\x07 clip \x1b]52;c;eA==\x1b\\ clear \x1b[2J",
    "c1 \x9b31m bidi \u202eabc nul \x00 lone \ud800 zero\u200bwidth",
]


@pytest.fixture(params=HOSTILE, ids=range(len(HOSTILE)))
def hostile(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the developer's home, endpoint or workspace."""
    for name in list(os.environ):
        if name.startswith(("SENSORLOOM_", "OPENAI_", "SSH_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def trust() -> Callable[[Path], None]:
    """Trusts a workspace as its files are now, as `sensorloom trust` does."""

    def trusted(root: Path) -> None:
        keep_answer(root, acts_of(root).files, trusted=True)

    return trusted


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the demo dataset and its features, made once and only read: see `copy_demo`."""
    root = tmp_path_factory.mktemp("demo")
    workspace = open_workspace(str(root), environ={})
    import_dataset(workspace, "demo")
    open_dataset(workspace, "demo").features()
    return root


@pytest.fixture(scope="session")
def copy_demo(demo_data: Path) -> Callable[[Path], None]:
    """Puts the demo dataset and its features into a workspace's folder; sessions are links, none is changed."""

    def link(source: str, target: str) -> None:
        (os.link if source.endswith("data.parquet") else shutil.copy2)(source, target)

    def copied(root: Path) -> None:
        for folder in ("data", ".sensorloom/features"):
            shutil.copytree(demo_data / folder, root / folder, copy_function=link, dirs_exist_ok=True)

    return copied
