"""Each server is started once for all tests of a run, and skipped with the reason where it was not prepared.

`make test-servers` runs these; a run of all tests leaves them out, since starting servers takes minutes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from .starting import KEY, SERVERS, NotPrepared, Started

collect_ignore_glob = [] if os.environ.get("SENSORLOOM_SERVERS") else ["test_*.py"]


@pytest.fixture(scope="session", params=list(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    kind: str = request.param
    with ExitStack() as opened:
        try:
            started = opened.enter_context(SERVERS[kind](tmp_path_factory.mktemp(kind) / "server.log"))
        except NotPrepared as reason:
            pytest.skip(str(reason))
        yield started


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that the servers of these tests want."""
    monkeypatch.setenv("TESTS_KEY", KEY)
