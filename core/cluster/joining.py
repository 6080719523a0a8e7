"""Ray: joining a cluster, and the workers on it as actors.

An actor keeps what it read from one thread to the next. Ray's own retries are off: a call that was lost is made again
by the driver, which knows what came back. Keys go in a call and not into the actor's runtime environment, which Ray
writes down and shows.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.cluster.interface import WorkerLost
from core.cluster.node import Worker
from core.cluster.parcels import File, Parcel
from core.cluster.tables import TableFile
from core.errors import SensorloomError, UsageError, system_reason
from core.processes.starting import cores
from core.text import one_line

LOCAL = "local"
"""Instead of an address: a cluster of this machine alone, which ends with the run."""
REACH_SEC = 10.0
"""How long a cluster's address may take to answer."""
OBJECT_STORE_BYTES = 256 << 20
"""Memory for what is put into a local cluster: threads on their way, nothing else, as its workers see the datasets."""


@contextmanager
def joined(address: str) -> Generator[RayCluster]:
    """A cluster of Ray, for as long as this is open.

    Raises:
        UsageError: Ray is not installed, the cluster cannot be reached, or is of another version.
    """
    ray = _ray()
    _keep_quiet()
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        _join(address)
    except Exception as error:
        raise UsageError(f"cannot join the cluster at {address}: {_reason(address, error)}") from error
    try:
        yield RayCluster()
    finally:
        ray.shutdown()


def _ray() -> Any:
    """The module of Ray, which is not installed everywhere: nobody who runs on one machine needs it."""
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UsageError("Ray is not installed here: `pip install 'sensorloom[ray]'` brings it") from error


def _keep_quiet() -> None:
    """Ray's own messages stay out of what a command prints: it writes a paragraph about each lost worker to standard
    output, where a document may stand. What is lost is told in a sentence of ours."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    worker: Any = importlib.import_module("ray._private.worker")
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_data, **_options: None


def _join(address: str) -> None:
    shared: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if address == LOCAL:
        _ray().init(
            address=LOCAL,
            num_cpus=cores(),
            object_store_memory=OBJECT_STORE_BYTES,
            include_dashboard=False,
            **shared,
        )
        return
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "/" not in host:  # Ray ends the whole process where nothing is there
        socket.create_connection((host.strip("[]"), int(port)), REACH_SEC).close()
    _ray().init(address=address, **shared)


def _reason(address: str, error: Exception) -> str:
    """Why a cluster cannot be joined, in a clause with the way out."""
    told = system_reason(error) if isinstance(error, OSError) else one_line(str(error), 300).rstrip(".")
    if "ersion mismatch" in told:
        return f"{told}; install the same Ray and the same Python here and there"
    if "failed to connect" in told:
        return (
            f"{told}; if it wants a token, as `ray start --head` says, set RAY_AUTH_MODE=token and put what "
            "`ray get-auth-token` prints there into RAY_AUTH_TOKEN"
        )
    return f"{told}; `ray start --head` begins one and says its address, `{LOCAL}` makes one of this machine"


class RayCluster:
    """The cluster that this process has joined."""

    def room(self) -> int:
        """A worker for each core of the nodes that are alive."""
        return int(_ray().cluster_resources().get("CPU", 0))

    def hire(self) -> RayHand:
        """An actor of one core, on the node that has most room."""
        remote: Any = _ray().remote(
            num_cpus=1, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", max_concurrency=1000
        )(RayWorker)
        return RayHand(remote.remote())

    def put(self, value: Any) -> Any:
        """A value in the cluster's object store."""
        return [_ray().put(value)]  # in a list: an argument that is a reference itself is fetched before the call


@dataclass(frozen=True, slots=True)
class RayHand:
    """An actor as the driver holds it."""

    actor: Any

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method and wait for what it returns. Raises WorkerLost; SensorloomError: it failed over there."""
        refused = _ray().exceptions
        try:
            return await getattr(self.actor, method).remote(*arguments)
        except refused.RayTaskError as error:
            raise SensorloomError(f"a worker failed unexpectedly: {one_line(str(error.cause), 300)}") from error
        except refused.RayError as error:
            raise WorkerLost(_why_lost(error)) from error

    def dismiss(self) -> None:
        """Kill it, whatever it does."""
        _ray().kill(self.actor)


def _why_lost(error: Exception) -> str:
    """What Ray says of an actor that is no more, without its stack and its advice."""
    text = str(error)
    if "No module named" in text:
        start = text.index("No module named")
        return f"{one_line(text[start:], 60)}: install sensorloom on every node, in the Python that runs Ray there"
    cause = text.partition("The actor is dead because ")[2] or text
    memory = ", as its node ran out of memory" if "memory pressure" in text or "out of memory" in text.lower() else ""
    return f"{one_line(cause.partition('. ')[0], 160).rstrip('.')}{memory}"


class RayWorker(Worker):
    """The worker as an actor: it knows its node, and takes datasets out of the object store."""

    def __init__(self) -> None:
        super().__init__(_ray().util.get_node_ip_address())

    async def receive(self, parcel: Parcel, parts: list[list[Any]], url: str = "") -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The same, of references."""
        return await super().receive(parcel, partial(_fetched, parts), url)

    async def receive_table(self, name: str, table: TableFile, part: list[Any]) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The same, of a reference."""
        return await super().receive_table(name, table, lambda: _ray().get(part[0]))


def _fetched(parts: list[list[Any]]) -> Iterator[Iterable[File]]:
    for (part,) in parts:
        yield _ray().get(part)
