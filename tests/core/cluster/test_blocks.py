"""Items of work on a cluster: each has its result, in order, whatever is lost on the way."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.cluster import blocks, workers
from core.cluster.blocks import Blocks
from core.cluster.driver import TRIES
from core.errors import DatasetError, UsageError
from core.processes.items import Undone
from core.workspace import Workspace, open_workspace
from tests.core.cluster.in_process import ClusterHere, HandHere, Mishap

COUNT = 60


def squarer(workspace: Workspace, plus: int) -> Callable[[Sequence[int]], list[tuple[int, str]]]:
    def squares(numbers: Sequence[int]) -> list[tuple[int, str]]:
        if -1 in numbers:
            raise DatasetError("-1 is no number of this work")
        return [(number * number + plus, str(workspace.root)) for number in numbers]

    return squares


@pytest.fixture
def on(tmp_path: Path) -> Callable[..., tuple[Blocks, ClusterHere, list[str]]]:
    def on(mishap: Mishap = lambda method, arguments: False, **options: Any) -> tuple[Blocks, ClusterHere, list[str]]:
        told: list[str] = []
        cluster = ClusterHere(tmp_path / "base", mishap)
        (tmp_path / "driver").mkdir(exist_ok=True)
        return (
            Blocks(cluster, open_workspace(str(tmp_path / "driver"), environ={}), told.append, **options),
            cluster,
            told,
        )

    return on


def squared(spread: Blocks, items: Sequence[int] | Iterator[int], count: int = COUNT) -> list[Any]:
    return [result for part in spread(squarer, (1,), items, count) for result in part]


def losing(times: int, wanted: Callable[[Sequence[int]], bool] = lambda items: True) -> Mishap:
    """So many workers are lost with a block, when it is done and not given back."""
    count = itertools.count(1)
    return lambda method, arguments: method == "work" and wanted(arguments[0]) and next(count) <= times


Opens = Callable[..., tuple[Blocks, ClusterHere, list[str]]]


def test_results_come_in_order_from_workspaces_of_the_workers(on: Opens, tmp_path: Path):
    spread, cluster, told = on()
    results = squared(spread, range(COUNT))
    assert [number for number, _ in results] == [number * number + 1 for number in range(COUNT)]
    roots = {root for _, root in results}
    assert all(root.startswith(str(tmp_path / "base")) for root in roots) and cluster.hired == 2 and not told


def test_what_lost_workers_had_is_done_by_others(on: Opens):
    spread, cluster, told = on(losing(3))
    assert [number for number, _ in squared(spread, range(COUNT))] == [n * n + 1 for n in range(COUNT)]
    assert cluster.hired == 5 and any("its threads go to others" in line for line in told)


def test_an_item_that_kills_its_workers_is_undone_and_only_that_one(on: Opens):
    spread, _, _ = on(losing(99, lambda items: 7 in items))
    results = squared(spread, range(COUNT))
    assert results[7] == Undone(f"{TRIES} workers were lost while they had it, the last one: it was killed")
    assert [result[0] for number, result in enumerate(results) if number != 7] == [
        n * n + 1 for n in range(COUNT) if n != 7
    ]


def test_items_are_taken_no_further_ahead_than_they_are_soon_done(on: Opens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MOST", 4)
    asked_for: list[int] = []

    def noted() -> Iterator[int]:
        for number in range(4000):
            asked_for.append(number)
            yield number

    spread, _, _ = on()
    results = spread(squarer, (1,), noted(), 4000)
    next(results)
    most = blocks.WINDOW * 4 * blocks.AHEAD * 2 + 4
    assert len(asked_for) <= most + 4
    results.close()


def test_a_block_holds_no_more_bytes_than_it_may(on: Opens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(blocks, "MOST_BYTES", 2)
    sizes: list[int] = []

    def noting(method: str, arguments: tuple[Any, ...]) -> bool:
        if method == "work":
            sizes.append(len(arguments[0]))
        return False

    spread, _, _ = on(noting, size_of=lambda _item: 1)
    assert len(squared(spread, range(COUNT))) == COUNT and max(sizes) == 2


def test_what_the_work_raises_is_raised_here(on: Opens):
    spread, _, _ = on()
    with pytest.raises(DatasetError, match="-1 is no number"):
        squared(spread, [1, 2, -1, 4], 4)


def test_a_stop_ends_it_early_with_what_is_there(on: Opens):
    stop = threading.Event()
    spread, _, _ = on()
    spread = replace(spread, cancelled=stop.is_set)
    results = spread(squarer, (1,), itertools.count(), 10**9)
    first = next(results)
    stop.set()
    later = [result for part in results for result in part]
    numbers = [result[0] for result in (*first, *later) if not isinstance(result, Undone)]
    assert numbers == [n * n + 1 for n in range(len(numbers))]


def test_nodes_with_another_program_are_refused(on: Opens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("core.cluster.kits.code_digest", lambda: "another")
    spread, _, _ = on()
    with pytest.raises(UsageError, match="on every node"):
        squared(spread, range(COUNT))


class Frozen(HandHere):
    """A worker that answers nothing any more once it has its second block, as if it were stopped."""

    def __init__(self, hand: HandHere) -> None:
        super().__init__(hand._worker, hand._mishap, hand._heard)  # pyright: ignore[reportPrivateUsage]
        self._frozen = False
        self._ended = asyncio.Event()

    async def call(self, method: str, *arguments: Any) -> Any:
        self._frozen = self._frozen or method == "work"
        if not self._frozen:
            return await super().call(method, *arguments)
        await self._ended.wait()
        raise workers.WorkerLost("it was killed")

    def dismiss(self) -> None:
        super().dismiss()
        self._ended.set()


def test_a_worker_that_is_frozen_counts_as_lost(on: Opens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "LOOK_SEC", 0.0)
    monkeypatch.setattr(workers, "SILENT_LOOKS", 3)
    monkeypatch.setattr(blocks, "LOOK_SEC", 0.01)
    spread, cluster, told = on()
    hire = cluster.hire
    monkeypatch.setattr(cluster, "hire", lambda: Frozen(hire()) if cluster.hired == 0 else hire())
    assert [number for number, _ in squared(spread, range(COUNT))] == [n * n + 1 for n in range(COUNT)]
    assert any("it has not answered" in line for line in told)


def test_a_cluster_that_does_not_say_its_room_holds_up_nothing(on: Opens, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "ROOM_SEC", 0.0)
    spread, cluster, _ = on()
    over, asked = threading.Event(), itertools.count()

    def room() -> int:
        if next(asked):
            over.wait(60.0)  # as while its head is gone
        return 2

    monkeypatch.setattr(cluster, "room", room)
    try:
        assert len(squared(spread, range(COUNT))) == COUNT
    finally:
        over.set()
