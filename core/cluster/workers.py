"""The workers of a run: as many as there is room for, each with all it needs, replaced where one is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from core.cluster.interface import Cluster, Hand, WorkerLost
from core.cluster.parcels import Parcel, parts_of
from core.cluster.tables import TableFile, read_table_file
from core.cluster.travelling import Kit, Part, Ready, Variables
from core.datasets.remote import shown_url
from core.errors import SensorloomError, UsageError
from core.runs.cancelling import aside
from core.settings_tables import CONCURRENCY

JOIN_TRIES = 10
"""How many workers in a row may be lost before their first thread."""
PATIENCE_SEC = 30.0
"""How long without any worker until a person is told what is waited for."""
PART_SEC = 5.0
"""How long a worker may take to clear up."""
ROOM_SEC = 1.0
"""Between two questions how much room there is."""
LOOK_SEC = 5.0
"""Between two looks at who answers."""
SILENT_LOOKS = 36
"""At so many looks in a row, three minutes, a worker may not have answered before it counts as lost. A thread or a
block that takes long is no silence: the worker's loop answers meanwhile."""


@dataclass(eq=False, slots=True)
class Member:
    """A worker that has joined."""

    hand: Hand
    node: str
    limit: int
    """How many threads it may have now."""
    busy: int = 0
    """How many it has."""
    is_full: bool = False
    """Whether it has a thread that is run alone."""
    ping: asyncio.Task[Any] | None = None
    """What it was asked last, to see whether it answers."""
    silent: int = 0
    """At how many looks it had not answered."""


class Workers:
    """All of one run."""

    def __init__(self, cluster: Cluster, kit: Kit, variables: Variables, tell: Callable[[str], None]) -> None:
        """Make it ready.

        Args:
            cluster: where the workers come from.
            kit: what each worker needs.
            variables: what of the environment each worker needs.
            tell: told a sentence that a person may want to know.
        """
        self._cluster = cluster
        self._kit = kit
        self._variables = variables
        self._tell = tell
        self._members: list[Member] = []
        self._joining: dict[asyncio.Task[Member], Hand] = {}
        self._unfit: list[Hand] = []
        """They are kept to the end, so that no other one joins in their places."""
        self._parts: dict[str, list[Part]] = {}
        self._tables: dict[TableFile, Part] = {}
        self._packing = asyncio.Lock()
        self._paused = False
        self._lost_in_a_row = 0
        self._alone_since = time.monotonic()
        self._room = 0
        self._asking: asyncio.Task[int] | None = None
        self._asked_at = self._looked_at = 0.0

    @property
    def limit(self) -> int:
        """How many threads all may have now."""
        return sum(member.limit for member in self._members)

    def recruit(self, threads: int, joined: Callable[[asyncio.Task[Any]], None]) -> None:
        """Ask for as many workers as there is room for, and so many threads are of use to. `joined` is called when one
        has joined."""
        self._look()
        useful = -(-threads // (self._kit.parallel or CONCURRENCY))
        there = len(self._members) + len(self._joining) + len(self._unfit)
        for _ in range(min(self._room_now(joined), useful + len(self._unfit)) - there):
            hand = self._cluster.hire()
            task = asyncio.create_task(self._join(hand))
            self._joining[task] = hand
            task.add_done_callback(joined)
        if self._members:
            self._alone_since = time.monotonic()
        elif time.monotonic() - self._alone_since > PATIENCE_SEC:
            self._alone_since = time.monotonic()
            self._tell("waiting for a free core in the cluster; `ray status` says who has them")

    def _room_now(self, heard: Callable[[asyncio.Task[Any]], None]) -> int:
        """How many workers there is room for, as the cluster said last. It is asked aside: while its head is gone, it
        may not answer for a minute. `heard` is called when it has."""
        if self._asking is None or (self._asking.done() and time.monotonic() - self._asked_at >= ROOM_SEC):
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(aside(self._cluster.room))
            self._asking.add_done_callback(self._heard_of_room)
            self._asking.add_done_callback(heard)
        return self._room

    def _heard_of_room(self, task: asyncio.Task[int]) -> None:
        if not task.cancelled() and task.exception() is None:
            self._room = task.result()

    def _look(self) -> None:
        """Lose those that are gone, and those that have not answered for long while nothing says so: frozen ones. Looks
        are counted, and not time, which also passes while this program itself is frozen."""
        if time.monotonic() - self._looked_at < LOOK_SEC:
            return
        self._looked_at = time.monotonic()
        for member in list(self._members):
            if (
                member.ping is not None
                and member.ping.done()
                and isinstance(gone := member.ping.exception(), WorkerLost)
            ):
                self.lose(member, str(gone))
            elif member.ping is None or member.ping.done():
                member.ping, member.silent = _asked(member, "ping"), 0
            elif (silent := member.silent + 1) < SILENT_LOOKS:
                member.silent = silent
            else:
                self.lose(member, f"it has not answered for {SILENT_LOOKS * LOOK_SEC / 60:.0f} minutes")

    def take_up(self, task: asyncio.Task[Any]) -> bool:
        """Take up who has joined by this task. Returns False for another task.

        Raises:
            UsageError: nobody can work; it says why.
        """
        hand = self._joining.pop(task, None)
        if hand is None:
            return False
        try:
            self._members.append(task.result())
            self._lost_in_a_row = 0
            if self._paused:  # which may have been said while it joined
                self._tell_all("pause", True)
        except WorkerLost as error:
            hand.dismiss()
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= JOIN_TRIES and not self._members:
                raise UsageError(f"no worker of the cluster can begin: {error}") from error
        except SensorloomError as error:
            self._unfit.append(hand)
            if not self._members and not self._joining:
                raise UsageError(str(error)) from error
            self._tell(f"left out: {error}")
        return True

    def free(self, *, alone: bool = False) -> Member | None:
        """The worker with the most room, where it has room for one more thread, which is to be `alone` there or not;
        none while all pause."""
        if self._paused:
            return None
        free = (member for member in self._members if not (member.is_full or (alone and member.busy)))
        member = max(free, key=lambda member: member.limit - member.busy, default=None)
        return member if member is not None and member.busy < member.limit else None

    def lose(self, member: Member, reason: str) -> None:
        """Work without one that is no more."""
        if member in self._members:
            self._members.remove(member)
            member.hand.dismiss()
            self._tell(f"a worker on {member.node} was lost, its threads go to others: {reason}")

    def stop(self) -> None:
        """Tell all to stop what they run and give it back."""
        self._tell_all("stop")

    def pause(self, paused: bool) -> None:
        """Tell all to begin no further turn, or to go on."""
        if paused != self._paused:
            self._paused = paused
            self._tell_all("pause", paused)

    def _tell_all(self, method: str, *arguments: Any) -> None:
        for member in self._members:
            _asked(member, method, *arguments)

    async def part(self) -> None:
        """Let all go."""
        for task in (*self._joining, self._asking):
            if task is not None:
                task.cancel()

        async def close(member: Member) -> None:
            with suppress(WorkerLost, TimeoutError, SensorloomError):
                await asyncio.wait_for(member.hand.call("close"), PART_SEC)

        await asyncio.gather(*map(close, self._members))
        for hand in (*self._joining.values(), *self._unfit, *(member.hand for member in self._members)):
            hand.dismiss()

    async def _join(self, hand: Hand) -> Member:
        """A worker that has all it needs. Raises WorkerLost, and SensorloomError: it cannot work."""
        ready: Ready = await hand.call("prepare", self._kit, self._variables)
        problem = ready.problem
        for parcel in self._kit.parcels:
            if parcel.name in ready.missing and not problem:
                url = self._kit.url_of(parcel.name)
                problem = await hand.call("receive", parcel, await self._parts_of(parcel, url), url)
        for parcel in self._kit.parcels if self._kit.tables else ():
            for table in parcel.tables:
                part = await self._part_of(table)
                problem = problem or await hand.call("receive_table", parcel.name, table, part)
        problem = problem or await hand.call("warm")
        if problem:
            raise UsageError(problem)
        return Member(hand, ready.node, ready.limit)

    async def _parts_of(self, parcel: Parcel, url: str) -> list[Part]:
        """A dataset's pieces in the cluster's memory, or its files' digests where it is read from a URL: put there
        once, when the first machine lacks it."""
        async with self._packing:
            if parcel.name not in self._parts:

                def put() -> list[Part]:
                    return [self._cluster.put(part) for part in parts_of(parcel, by_digest=bool(url))]

                if url:
                    self._tell(f"the nodes read {parcel.name} from {shown_url(url)}")
                else:
                    self._tell(f"sending {parcel.name} to the nodes, which do not see {parcel.folder}")
                self._parts[parcel.name] = await asyncio.to_thread(put)
            return self._parts[parcel.name]

    async def _part_of(self, table: TableFile) -> Part:
        """A table in the cluster's memory, put there once."""
        async with self._packing:
            if table not in self._tables:
                self._tables[table] = self._cluster.put(await asyncio.to_thread(read_table_file, table))
            return self._tables[table]


def _asked(member: Member, method: str, *arguments: Any) -> asyncio.Task[Any]:
    """Say something to a worker without waiting for what it answers, or whether it does."""
    task = asyncio.create_task(member.hand.call(method, *arguments))
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return task
