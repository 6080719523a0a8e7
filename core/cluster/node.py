"""A worker on one of the cluster's machines: it makes a workspace of its own, runs threads there, gives them back."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from core.cluster.addresses import choice_at
from core.cluster.parcels import File, Parcel, data_folder, drop_unused, is_seen, lay_out_parts
from core.cluster.travelling import Answer, Errand, Kit, Question, Ready
from core.curate.prompts import take_kept
from core.errors import SensorloomError
from core.model.refusals import Dropped
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
    """Runs threads that are given to it, several at once, in one event loop."""

    def __init__(self, node: str, base: Path | None = None) -> None:
        """Args: `node` is the machine's address as others reach it; `base` is where it may keep files."""
        self._node = node
        self._base = base or Path(tempfile.gettempdir()) / f"sensorloom-workers-{os.getuid()}"
        self._root = Path()
        self._kit: Kit | None = None
        self._workspace: Workspace | None = None
        self._tools: tuple[Tool, ...] = ()
        self._models: dict[str, Model] = {}
        self._pace = Pace(1)
        self._running: set[asyncio.Task[Ran]] = set()

    async def prepare(self, kit: Kit, variables: Mapping[str, str]) -> Ready:
        """Look through the kit, and say what is missing."""
        os.environ.update(variables)
        try:
            return await asyncio.to_thread(self._prepared, kit)
        except (SensorloomError, OSError) as error:
            return Ready(self._node, problem=f"{self._node}: {error}")

    async def receive(self, parcel: Parcel, parts: Callable[[], Iterable[Iterable[File]]]) -> str:
        """Take a dataset that is missing, once for all workers of this machine. Returns why it cannot be taken; empty
        where it was."""
        try:
            await asyncio.to_thread(self._received, parcel, parts)
        except (SensorloomError, OSError) as error:
            return f"{self._node}: {error}"
        return ""

    async def warm(self) -> str:
        """Make what is derived of the datasets, once for all workers of this machine. Returns why it cannot be."""
        try:
            await asyncio.to_thread(self._warmed)
        except (SensorloomError, OSError) as error:
            return f"{self._node}: {error}"
        return ""

    async def ask(self, question: Question) -> Answer:
        """Let the model propose a question."""
        text, ended, started = "", TurnEnded("", ""), time.monotonic()
        try:
            model = self._model(question.address)
            async for event in question_events(self._space, question.job, model, question.prompt):
                match event:
                    case QueryProposed():
                        text = event.text
                    case TurnEnded():
                        ended = event
                    case _:
                        pass
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
        work = asyncio.create_task(self._carried_out(job, errand.address, watch))
        self._running.add(work)
        try:
            ran = await work
        except asyncio.CancelledError:
            ran = Ran(job, cancelled=True)
        finally:
            self._running.discard(work)
        came = await asyncio.to_thread(pick_up, space, stem)
        await asyncio.to_thread(clear_away, space, stem)
        return Answer(came, "", ran.error, ran.cancelled, ran.seconds, ran.for_all, self._pace.limit, tuple(notes))

    async def pause(self, paused: bool) -> None:
        """Begin no further turn, or go on."""
        self._pace.pause(paused)

    async def stop(self) -> None:
        """Stop what runs; each `run` gives back what had come."""
        for work in self._running:
            work.cancel()

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
        seen = kit.shared and all(is_seen(parcel) for parcel in parcels)
        data = Path(parcels[0].folder).parent if seen else data_folder(self._base, parcels)
        missing = () if seen else tuple(parcel.name for parcel in parcels if not (data / parcel.name).is_dir())
        self._root = _own_folder(self._base)
        self._workspace = Workspace(self._root, self._root / "threads", self._root / "exports", data, kit.settings)
        # tables are kept by their dataset's folder: for all workers of this machine, and for the next run
        features = self._base / "features"
        features.mkdir(exist_ok=True)
        (private_folder(self._workspace) / "features").symlink_to(features)
        drop_unused(self._base, data)
        self._pace = pace_for(kit.choice, kit.parallel)
        return Ready(self._node, missing, self._pace.limit)

    async def _carried_out(self, job: Job, address: str, watch: Callable[[Job, TurnEvent], None]) -> Ran:
        await self._pace.begin_thread()
        try:
            return await carry_out(self._space, job, self._model(address), self._tools, watch, pace=self._pace)
        finally:
            self._pace.end_thread()

    def _received(self, parcel: Parcel, parts: Callable[[], Iterable[Iterable[File]]]) -> None:
        folder = self._space.data / parcel.name
        with self._alone(f"{parcel.name}.lock"):
            if not folder.is_dir():
                lay_out_parts(folder, parts())

    def _warmed(self) -> None:
        from core.datasets.standard import open_dataset

        assert self._kit is not None
        with self._alone("features.lock"):
            for parcel in self._kit.parcels:
                opened = open_dataset(self._space, parcel.name)
                opened.features()
                opened.measurements()

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


def _own_folder(base: Path) -> Path:
    """A folder of this process under the machine's own; those of processes that are no more are removed.

    Raises:
        OSError: the machine's folder is somebody else's, or cannot be written.
    """
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if base.lstat().st_uid != os.getuid():  # a link of somebody else's to a folder of ours, too
        raise PermissionError(f"{base} belongs to somebody else")
    for other in base.glob("worker-*-*"):
        number = other.name.split("-")[1]
        if number.isdecimal() and not _is_alive(int(number)):
            shutil.rmtree(other, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"worker-{os.getpid()}-", dir=base))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
