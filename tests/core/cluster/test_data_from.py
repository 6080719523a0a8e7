"""Nodes that read datasets from a URL have those that the driver has, or refuse."""

from __future__ import annotations

import tarfile
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from core.cli.commands import run_command
from core.cluster.run import OnCluster, run_on_cluster
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.model.endpoints import ModelChoice
from core.runs.job import Job, Ran
from core.workspace import Workspace, open_workspace
from tests.core.cluster.in_process import ClusterHere
from tests.tools.made import made_dataset, write_dataset

URL = "memory://bucket/datasets"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "ws"
    root.mkdir()
    for name in ("made", "other"):
        write_dataset(root / "data" / name, made_dataset(4, 3))
    return open_workspace(str(root), environ={})


@pytest.fixture
def memory(workspace: Workspace) -> Generator[MemoryFileSystem]:
    """A bucket with copies of the datasets."""
    system = MemoryFileSystem()
    for path in sorted(workspace.data.rglob("*")):
        if path.is_file():
            system.pipe(f"/bucket/datasets/{path.relative_to(workspace.data)}", path.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


async def run_there(
    workspace: Workspace, cluster: ClusterHere, url: str, names: Sequence[str] = ("made",)
) -> tuple[list[Ran], list[str]]:
    told: list[str] = []
    jobs = [Job(name, open_dataset(workspace, name).sessions[0], seed=1) for name in names]
    on = OnCluster(cluster, 2, shared=False, data_from=url)
    ran: list[Ran] = []
    await run_on_cluster(on, workspace, jobs, ModelChoice(), ended=ran.append, tell=told.append)
    return sorted(ran, key=lambda result: result.job.dataset), told


def laid_out(base: Path) -> dict[str, tuple[bytes, int]]:
    """Every file that a node has of datasets: its bytes and its time."""
    (folder,) = (base / "data").iterdir()
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def here(workspace: Workspace, *names: str) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(workspace.data)): (path.read_bytes(), path.stat().st_mtime_ns)
        for name in names
        for path in (workspace.data / name).rglob("*")
        if path.is_file()
    }


async def test_each_node_reads_it_once_and_has_what_the_driver_has(
    workspace: Workspace, memory: MemoryFileSystem, tmp_path: Path
) -> None:
    cluster = ClusterHere(tmp_path / "node")
    ran, told = await run_there(workspace, cluster, f"{URL}/{{dataset}}", ("made", "other"))
    assert all(result.finished for result in ran)
    assert laid_out(tmp_path / "node") == here(workspace, "made", "other")
    expected = [f"the nodes read {name} from {URL}/{name}" for name in ("made", "other")]
    assert [line for line in told if "read" in line] == expected
    samples = (workspace.data / "made/sessions" / ran[0].job.session / "data.parquet").read_bytes()
    assert not any(samples in part for part in cluster.sent)  # only digests went by the driver
    memory.rm("/bucket", recursive=True)
    ran, told = await run_there(workspace, ClusterHere(tmp_path / "node"), f"{URL}/{{dataset}}", ("made", "other"))
    assert ran[0].finished and not told


async def test_it_may_be_an_archive(workspace: Workspace, memory: MemoryFileSystem, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "made.tar.gz", "w:gz") as archive:
        archive.add(workspace.data / "made", "some/folder/made")
    memory.pipe("/bucket/made.tar.gz", (tmp_path / "made.tar.gz").read_bytes())
    ran, _ = await run_there(workspace, ClusterHere(tmp_path / "node"), "memory://bucket/made.tar.gz")
    assert ran[0].finished and laid_out(tmp_path / "node") == here(workspace, "made")
    (folder,) = (tmp_path / "node" / "data").iterdir()
    assert [path.name for path in folder.iterdir()] == ["made"]


async def test_another_dataset_is_refused_by_what_differs(
    workspace: Workspace, memory: MemoryFileSystem, tmp_path: Path
) -> None:
    session = open_dataset(workspace, "made").sessions[2]
    memory.pipe(f"/bucket/datasets/made/sessions/{session}/data.parquet", b"other samples")
    sentence = rf"{URL}/made is not the made that the run is about: sessions/{session}/data.parquet differs there; copy"
    with pytest.raises(UsageError, match=sentence):
        await run_there(workspace, ClusterHere(tmp_path / "node"), f"{URL}/made")
    memory.rm("/bucket/datasets/made/labels.json")
    with pytest.raises(UsageError, match=r"made that the run is about: labels.json is missing there, and 1 more"):
        await run_there(workspace, ClusterHere(tmp_path / "node"), f"{URL}/made")
    with pytest.raises(UsageError, match=r"10\.0\.0\.\d: memory://bucket/nowhere: nothing is there"):
        await run_there(workspace, ClusterHere(tmp_path / "node"), "memory://bucket/nowhere")
    assert not list(workspace.threads.glob("*.json"))


async def test_two_datasets_do_not_lie_at_one_url(
    workspace: Workspace, memory: MemoryFileSystem, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"made and other cannot all lie at one URL: write \{dataset\} in --data-from"):
        await run_there(workspace, ClusterHere(tmp_path / "node"), f"{URL}/made", ("made", "other"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--data-from", "s3://b/made"), "--data-from goes with --ray"),
        (("--ray", "local", "--data-from", "data/made"), "--data-from data/made is no URL, such as s3://bucket"),
        (("--ray", "local", "--data-from", "s3://b/made", "--send-data"), "are two ways to a node: leave one of them"),
    ],
)
def test_what_is_asked_for_wrongly_is_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], options: Sequence[str], sentence: str
) -> None:
    assert run_command(["run", "--dataset", "made", *options, "--workspace", str(workspace.root)]) == 1
    told = capsys.readouterr().err
    assert sentence in told and told.count("\n") == 1
