from __future__ import annotations

from pathlib import Path

import pytest

from core.storage.store import Stored
from core.workspace import Workspace
from tests.core.curate.world import make_finished, make_workspace


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here pulls the plug, so nothing needs to be on the disk."""
    monkeypatch.setattr("os.fsync", lambda _: None)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path)


@pytest.fixture
def finished(workspace: Workspace) -> Stored:
    """A finished thread of eight messages: see `world.make_finished`."""
    return make_finished(workspace)
