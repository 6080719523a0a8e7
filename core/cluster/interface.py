"""What the driver needs of whatever joins the machines. `core.cluster.joining` has it of Ray."""

from __future__ import annotations

from typing import Any, Protocol

from core.cluster.travelling import Part


class WorkerLost(Exception):
    """A worker, or its machine, is no more; in words."""


class Hand(Protocol):
    """A worker as the driver holds it."""

    async def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of `core.cluster.node.Worker`, once a machine has room for it. Raises WorkerLost."""
        ...

    def dismiss(self) -> None:
        """End it."""
        ...


class Cluster(Protocol):
    """What joins the machines."""

    def room(self) -> int:
        """How many workers there is room for on all machines that are there now. It may take as long as the cluster
        does not answer."""
        ...

    def hire(self) -> Hand:
        """One more worker; it comes when a machine has room for it."""
        ...

    def put(self, value: Any) -> Part:
        """Put a value where workers can take it."""
        ...
