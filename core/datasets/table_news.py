"""Who hears of the tables that are being made, and how their making is ended: the first look at a large dataset takes a
while, wherever it happens."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import SensorloomError


@dataclass(frozen=True, slots=True)
class TableNews:
    """How far a table that is being made is."""

    dataset: str
    what: str
    """What it holds, in a word: `features` or `measurements`."""
    done: int
    total: int
    """Sessions that are computed, and of how many; both are the same at the end."""
    elsewhere: bool = False
    """Whether another process makes it, and this one waits."""

    @property
    def over(self) -> bool:
        """Whether the table is there."""
        return self.done == self.total and not self.elsewhere

    @property
    def sentence(self) -> str:
        """What is going on, without how far it is."""
        if self.elsewhere:
            return f"waiting for another sensorloom that computes the {self.what} of {self.dataset}"
        return f"computing the {self.what} of {self.dataset}"


Hears = Callable[[TableNews], object]
_hearers: list[Hears] = []
_stops = 0
"""How often the tables then under way were stopped."""


@contextmanager
def told_of_tables(hears: Hears) -> Generator[None]:
    """Tell `hears`, on the thread that makes it, of every table that this process makes meanwhile, and be quick. Who
    asks for a table with a `progress` of its own hears of that one alone."""
    _hearers.append(hears)
    try:
        yield
    finally:
        _hearers.remove(hears)


def stop_tables() -> None:
    """End the making of all tables that are under way, as the program is about to end and would wait for them. What is
    computed is kept."""
    global _stops
    _stops += 1


def teller() -> Hears:
    """For who begins a table: what tells all who hear, and raises SensorloomError when the table is to be made no
    more."""
    begun = _stops

    def tell(news: TableNews) -> None:
        if _stops != begun:
            raise SensorloomError(f"{news.sentence} was stopped")
        pass_on(news)

    return tell


def pass_on(news: TableNews) -> None:
    """Tell all who hear of a table, which a process of ours may make."""
    for hears in tuple(_hearers):
        hears(news)
