"""A workspace with the demo dataset, for commands that run threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.workspace import Workspace, open_workspace


@pytest.fixture
def demo_workspace(demo_data: Path, tmp_path: Path) -> Workspace:
    """A workspace of its own on the shared data: threads and history apart, features there already."""
    (tmp_path / ".sensorloom").mkdir()
    (tmp_path / ".sensorloom" / "features").symlink_to(demo_data / ".sensorloom" / "features")
    (tmp_path / "sensorloom.toml").write_text(f'[paths]\ndata = "{demo_data / "data"}"\n')
    return open_workspace(str(tmp_path), environ={})
