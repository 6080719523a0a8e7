"""A worker on one of the cluster's machines: it makes a workspace of its own, runs threads there, gives them back."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cluster.addresses import choice_at
from core.cluster.own_folder import machines_folder, own_folder
from core.cluster.parcels import DATA, File, Parcel, data_folder, is_seen, lay_out_from, lay_out_parts
from core.cluster.tables import TableFile, put_table
from core.cluster.travelling import Answer, Done, Errand, Kit, Question, Ready
from core.curate.prompts import take_kept
from core.datasets.unused import drop_unused
from core.errors import SensorloomError
from core.model.refusals import Dropped
from core.runs.cancelling import UnderWay
from core.runs.events import QueryProposed, TurnEnded, TurnEvent
from core.runs.job import Job, Ran, carry_out, question_events
from core.runs.pace import Pace, pace_for
from core.storage.carrying import clear_away, lay_out, pick_up
from core.thread.hint import same_hint
from core.workspace import Workspace, private_folder
from tools import registry

if TYPE_CHECKING:
    from filelock import FileLock

    from core.model.client import Model
    from tools.registry import Tool


class Worker:
    """Runs threads that are given to it, several at once, in one event loop; or does blocks of items, one at a time."""

    def __init__(self, node: str, base: Path | None = None) -> None:
        """Args: `node` is the machine's address as others reach it; `base` is where it may keep files."""
        self._node = node
        self._base = base or machines_folder()
        self._root = Path()
        self._kit: Kit | None = None
        self._workspace: Workspace | None = None
        self._tools: tuple[Tool, ...] = ()
        self._models: dict[str, Model] = {}
        self._pace = Pace(1)
        self._under_way = UnderWay()
        self._job: Callable[[Sequence[Any]], Sequence[Any]] | None = None
        self._working = asyncio.Lock()

    async def prepare(self, kit: Kit, variables: Mapping[str, str]) -> Ready:
        """Look through the kit, and say what is missing."""
        os.environ.update(variables)
        try:
            return await asyncio.to_thread(self._prepared, kit)
        except (SensorloomError, OSError) as error:
            return Ready(self._node, problem=f"{self._node}: {error}")

    async def receive(self, parcel: Parcel, parts: Callable[[], Iterable[Iterable[File]]], url: str = "") -> str:
        """Take a dataset that is missing, once for all workers of this machine: from what the driver sent, or, where
        that is digests, from a URL. Returns why it cannot be taken; empty where it was."""
        folder, lock = self._space.data / parcel.name, self._alone(f"{parcel.name}.lock")
        return await _problem_of(self._node, lock, partial(_lay_out_once, folder, parts, url))

    async def receive_table(self, name: str, table: TableFile, fetch: Callable[[], bytes]) -> str:
        """Take a table of a dataset as the driver has it, once for all workers of this machine. Returns why it cannot
        be taken; empty where it was."""

        def put() -> None:
            from core.datasets.standard import open_dataset

            put_table(open_dataset(self._space, name), table, fetch)

        return await _problem_of(self._node, self._alone("features.lock"), put)

    async def warm(self) -> str:
        """Make what is derived of the datasets and the driver had not, once for all workers of this machine, and the
        job that does items. Returns why it cannot be."""
        try:
            await asyncio.to_thread(self._warmed)
        except (SensorloomError, OSError) as error:
            return f"{self._node}: {error}"
        return ""

    async def ask(self, question: Question) -> Answer:
        """Let the model propose a question."""
        started = time.monotonic()
        try:
            text, ended = await self._under_way.run(_asked(self._space, question, self._model(question.address)))
        except asyncio.CancelledError:
            return Answer(cancelled=True, seconds=time.monotonic() - started)
        except SensorloomError as error:
            return Answer(error=str(error), for_all=getattr(error, "for_all", False))
        seconds = time.monotonic() - started
        return Answer(None, text, ended.error, ended.cancelled, seconds, ended.for_all, self._pace.limit)

    async def run(self, errand: Errand) -> Answer:
        """Run a thread to its end."""
        notes: list[str] = []

        def watch(_job: Job, event: TurnEvent) -> None:
            if isinstance(event, Dropped):
                notes.append(event.sentence)

        space, stem = self._space, errand.thread.stem
        await asyncio.to_thread(self._laid_out, errand)
        job = replace(errand.job, hint=partial(same_hint, errand.hint) if errand.hint else None)
        try:
            ran = await self._under_way.run(self._carried_out(job, errand.address, watch))
        except asyncio.CancelledError:
            ran = Ran(job, cancelled=True)
        came = await asyncio.to_thread(pick_up, space, stem)
        await asyncio.to_thread(clear_away, space, stem)
        return Answer(came, "", ran.error, ran.cancelled, ran.seconds, ran.for_all, self._pace.limit, tuple(notes))

    async def work(self, items: Sequence[Any]) -> Done:
        """Do a block of items, aside of the loop, which goes on answering. One block at a time."""
        async with self._working:
            assert self._job is not None, "warm() comes first"
            started = time.monotonic()
            try:
                results = await asyncio.to_thread(self._job, items)
            except SensorloomError as error:
                return Done((), 0.0, error)
            return Done(results, time.monotonic() - started)

    async def ping(self) -> None:
        """Answer, by which the driver knows that this process is not frozen."""

    async def pause(self, paused: bool) -> None:
        """Begin no further turn, or go on."""
        self._pace.pause(paused)

    async def stop(self) -> None:
        """Stop what runs, and what was just about to; each `run` gives back what had come."""
        self._under_way.stop()

    async def close(self) -> None:
        """Leave nothing behind but what later runs use."""
        for model in self._models.values():
            await model.aclose()
        await asyncio.to_thread(shutil.rmtree, self._root, ignore_errors=True)

    @property
    def _space(self) -> Workspace:
        assert self._workspace is not None, "prepare() comes first"
        return self._workspace

    def _prepared(self, kit: Kit) -> Ready:
        from core.runs.toolbox import toolbox_of

        if problem := _differs(kit, self._node):
            return Ready(self._node, problem=problem)
        offered = {tool.name: tool for tool in toolbox_of(kit.files).tools}
        if lacking := [name for name in kit.tools if name not in offered]:
            return Ready(
                self._node,
                problem=f"{self._node} has no tool `{lacking[0]}`: install the package that brings it on every node",
            )
        self._tools = tuple(offered[name] for name in kit.tools)
        self._kit = kit
        parcels = kit.parcels
        seen = bool(parcels) and kit.shared and all(is_seen(parcel) for parcel in parcels)
        data = Path(parcels[0].folder).parent if seen else data_folder(self._base, parcels)
        missing = () if seen else tuple(parcel.name for parcel in parcels if not (data / parcel.name).is_dir())
        self._root = own_folder(self._base)
        self._workspace = Workspace(self._root, self._root / "threads", self._root / "exports", data, kit.settings)
        # tables are kept by their dataset's folder: for all workers of this machine, and for the next run
        features = self._base / "features"
        features.mkdir(exist_ok=True)
        (private_folder(self._workspace) / "features").symlink_to(features)
        if not seen:  # a folder of the driver's is none of ours to touch
            drop_unused(self._base / DATA, data)
        self._pace = pace_for(kit.choice, kit.parallel)
        return Ready(self._node, missing, self._pace.limit)

    async def _carried_out(self, job: Job, address: str, watch: Callable[[Job, TurnEvent], None]) -> Ran:
        await self._pace.begin_thread()
        try:
            return await carry_out(self._space, job, self._model(address), self._tools, watch, pace=self._pace)
        finally:
            self._pace.end_thread()

    def _warmed(self) -> None:
        from core.datasets.standard import open_dataset

        assert self._kit is not None
        if self._kit.tables:
            with self._alone("features.lock"):
                for parcel in self._kit.parcels:
                    opened = open_dataset(self._space, parcel.name)
                    opened.features()
                    opened.measurements()
        if self._kit.task is not None:
            self._job = self._kit.task.opener(self._space, *self._kit.task.setup)

    def _alone(self, name: str) -> FileLock:
        """What one worker of this machine does at a time."""
        from filelock import FileLock

        return FileLock(self._base / name)

    def _model(self, address: str) -> Model:
        from core.runs.remembered import open_model

        assert self._kit is not None
        if address not in self._models:
            self._models[address] = open_model(self._space, choice_at(self._kit.choice, address, self._node))
        return self._models[address]

    def _laid_out(self, errand: Errand) -> None:
        lay_out(self._space, errand.thread)
        take_kept(self._space, errand.prompts)


def _lay_out_once(folder: Path, parts: Callable[[], Iterable[Iterable[File]]], url: str) -> None:
    """Lay a dataset out, unless another worker of this machine has."""
    if folder.is_dir():
        return
    if url:
        lay_out_from(url, folder, parts())
    else:
        lay_out_parts(folder, parts())


async def _problem_of(node: str, lock: FileLock, work: Callable[[], None]) -> str:
    """Do something aside of the loop, one worker of the machine at a time. Returns why it cannot be done; empty where
    it was."""

    def alone() -> None:
        with lock:
            work()

    try:
        await asyncio.to_thread(alone)
    except (SensorloomError, OSError) as error:
        return f"{node}: {error}"
    return ""


async def _asked(space: Workspace, question: Question, model: Model) -> tuple[str, TurnEnded]:
    """The question that a model proposes, and how that ended."""
    text, ended = "", TurnEnded("", "")
    async for event in question_events(space, question.job, model, question.prompt):
        match event:
            case QueryProposed():
                text = event.text
            case TurnEnded():
                ended = event
            case _:
                pass
    return text, ended


def code_digest() -> str:
    """The digest of our own code, by which two machines know that they have the same."""
    total = hashlib.sha256()
    for folder in (Path(__file__).parents[1], Path(registry.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            total.update(f"{path.relative_to(folder)}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()[:16]


def our_version() -> str:
    """The version that is installed."""
    return version("sensorloom")


def _differs(kit: Kit, node: str) -> str:
    """Why this machine's program is not the driver's; empty where it is."""
    if kit.code == code_digest():
        return ""
    ours = our_version()
    told = f"sensorloom {ours}" + (f", another {ours} than the one here" if ours == kit.version else "")
    return (
        f"{node} has {told}, and the same threads come only of the same program: "
        f"install sensorloom {kit.version}, as it is here, on every node"
    )
