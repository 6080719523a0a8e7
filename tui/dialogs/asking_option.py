"""Asks for the value of an option: a list of what is possible, several of many, or a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from tui.dialogs.ask import AskTextScreen
from tui.dialogs.listed import ListedScreen, TicksScreen
from tui.dialogs.option_rows import Option
from tui.widgets.picker import Choice

BETWEEN = "\n"
"""Stands between the names in a value that is several of many: names may hold commas."""


def names_in(value: str) -> tuple[str, ...]:
    """The names of a value that is several of many."""
    return tuple(filter(None, value.split(BETWEEN)))


def ask_for(app: App[Any], option: Option, value: str, several: Sequence[str], choose: Callable[[str], None]) -> None:
    """Ask for another value.

    Args:
        app: where it is asked.
        option: what is asked for; one of a `screen` of its own is several of many.
        value: the one that is chosen now.
        several: of what an option that is several of many has some.
        choose: called with the new value; not at all where the person leaves it.
    """
    title = f"{option.label}: {option.about}"
    if option.screen:
        _tick(app, title, several, value, choose)
    elif len(option.values) <= 1:
        _type(app, option.asks, value, choose)
    else:
        _list(app, title, option, value, choose)


def _type(app: App[Any], asks: str, value: str, choose: Callable[[str], None]) -> None:
    def typed(text: str | None) -> None:
        if text is not None:
            choose(text)

    app.push_screen(AskTextScreen(asks, value), typed)


def _tick(app: App[Any], title: str, several: Sequence[str], value: str, choose: Callable[[str], None]) -> None:
    def ticked(names: tuple[str, ...] | None) -> None:
        if names is not None:
            choose(BETWEEN.join(names))

    app.push_screen(TicksScreen(title, several, names_in(value)), ticked)


def _list(app: App[Any], title: str, option: Option, value: str, choose: Callable[[str], None]) -> None:
    values = [each for each, _ in option.values]
    choices = [Choice(called) for _, called in option.values]

    def picked(at: int | None) -> None:
        if at == len(values):
            _type(app, option.asks, value, choose)
        elif at is not None:
            choose(values[at])

    choices += [Choice("type it …")] if option.asks else []
    app.push_screen(ListedScreen(title, choices, values.index(value) if value in values else 0), picked)
