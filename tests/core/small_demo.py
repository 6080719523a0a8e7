"""A workspace with a small demo dataset: few people, few windows, not waiting for the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.datasets.importing import import_dataset
from core.workspace import Workspace, open_workspace


def small_demo(root: Path) -> Workspace:
    """Four people, each with two windows of each activity."""
    workspace = open_workspace(str(root), environ={})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        patch.setattr("core.datasets.demo.SUBJECTS", 4)
        patch.setattr("core.datasets.demo.WINDOWS_PER_ACTIVITY", 2)
        import_dataset(workspace, "demo")
    return workspace
