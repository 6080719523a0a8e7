"""Tables that a run needs are made by all workers, once, and are those that one machine makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from core.cluster import tables
from core.cluster.run import OnCluster, run_on_cluster
from core.datasets import table_rows
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.model.endpoints import ModelChoice
from core.runs.job import Job, Ran
from core.workspace import Workspace, open_workspace
from tests.core.cluster.in_process import ClusterHere, Mishap
from tests.tools.made import made_dataset, write_dataset


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Workspace]:
    """Workspaces whose dataset is the same folder, and who has workers compute nearly everything."""
    monkeypatch.setattr(table_rows, "BLOCK", 2)
    monkeypatch.setattr(table_rows, "ALONE_SEC", 0.0)
    monkeypatch.setattr(tables, "WORTH_SEC", 0.0)
    write_dataset(tmp_path / "data" / "made", made_dataset(8, 3))

    def opened(name: str) -> Workspace:
        (tmp_path / name).mkdir()
        return open_workspace(str(tmp_path / name), parts={"data": str(tmp_path / "data")}, environ={})

    return opened


async def run_there(workspace: Workspace, cluster: ClusterHere, *, shared: bool = False) -> list[Ran]:
    ran: list[Ran] = []
    jobs = [Job("made", open_dataset(workspace, "made").sessions[0], seed=1)]
    on = OnCluster(cluster, 2, shared=shared)
    await run_on_cluster(on, workspace, jobs, ModelChoice(), ended=ran.append, tell=lambda _: None)
    return ran


def tables_in(folder: Path) -> list[bytes]:
    """The files of tables, features first."""
    return [path.read_bytes() for path in sorted(folder.glob("made-*.npz"), key=lambda path: "-measured" in path.name)]


def made_alone(workspace: Workspace) -> list[bytes]:
    dataset = open_dataset(workspace, "made")
    dataset.features()
    dataset.measurements()
    return tables_in(workspace.private / "features")


def losing(which: int) -> Mishap:
    """A worker is lost with so many blocks of rows done."""
    blocks = 0

    def lost(method: str, arguments: tuple[Any, ...]) -> bool:
        nonlocal blocks
        blocks += method == "work"
        return method == "work" and blocks == which

    return lost


async def test_all_workers_make_them_and_the_driver_keeps_what_one_machine_makes(
    opened: Callable[[str], Workspace], tmp_path: Path
) -> None:
    alone = made_alone(opened("alone"))
    workspace, cluster = opened("driver"), ClusterHere(tmp_path / "node", losing(2))
    ran = await run_there(workspace, cluster)
    assert len(alone) == 2 and tables_in(workspace.private / "features") == alone
    assert tables_in(tmp_path / "node" / "features") == alone
    assert ran[0].finished and sum(b"table_job" in call for call in cluster.heard) >= 2


@pytest.mark.parametrize("shared", [False, True])
async def test_a_node_has_those_that_are_there_and_computes_nothing(
    opened: Callable[[str], Workspace], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    workspace = opened("driver")
    alone = made_alone(workspace)

    def computed(*_: object) -> NoReturn:
        raise AssertionError("a row is computed")

    monkeypatch.setattr(table_rows, "rows_of", computed)
    ran = await run_there(workspace, ClusterHere(tmp_path / "node"), shared=shared)
    assert ran[0].finished and tables_in(tmp_path / "node" / "features") == alone


async def test_a_block_that_workers_die_of_is_computed_here(opened: Callable[[str], Workspace], tmp_path: Path) -> None:
    alone = made_alone(opened("alone"))
    workspace = opened("driver")
    last = open_dataset(workspace, "made").sessions[-1]

    def kills(method: str, arguments: tuple[Any, ...]) -> bool:
        return method == "work" and any(last in sessions for sessions in arguments[0])

    await run_there(workspace, ClusterHere(tmp_path / "node", kills))
    assert tables_in(workspace.private / "features") == alone


def test_what_is_stopped_keeps_what_is_done_and_says_so(opened: Callable[[str], Workspace], tmp_path: Path) -> None:
    alone = made_alone(opened("alone"))
    workspace = opened("driver")

    def ends_early(opener: Any, setup: Any, items: Any, count: int) -> Any:
        job = opener(workspace, *setup)
        yield job(list(items)[:3])

    spread: Any = ends_early
    with pytest.raises(SensorloomError, match="computing the tables of made was stopped"):
        tables.make_tables(workspace, ["made"], lambda _: spread)
    totals: list[int] = []
    opened_again = open_dataset(workspace, "made")
    opened_again.features(lambda done, total, _: totals.append(total))
    opened_again.measurements()
    assert max(totals) == len(opened_again.sessions) - 8
    assert tables_in(workspace.private / "features") == alone
