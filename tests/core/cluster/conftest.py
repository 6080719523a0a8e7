"""A cluster in this process, for the commands."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.core.cluster.in_process import ClusterHere, Joins, Mishap


@pytest.fixture
def join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Joins:
    """What `--ray here` joins from now on."""

    def join(mishap: Mishap = lambda method, arguments: False, room: int = 2) -> ClusterHere:
        cluster = ClusterHere(tmp_path / "base", mishap, room)

        @contextmanager
        def joined(address: str) -> Generator[ClusterHere]:
            assert address == "here"
            yield cluster

        monkeypatch.setattr("core.cluster.joining.joined", joined)
        return cluster

    return join
