"""Asks for the value of an option: a list of what is possible, several of many, or a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from textual.app import App

from tui.dialogs.ask import AskTextScreen
from tui.dialogs.listed import ListedScreen, TicksScreen
from tui.dialogs.option_rows import Option
from tui.widgets.picker import Choice

Choose = Callable[[str, str], None]
"""Takes the name of an option, and its new value."""
BETWEEN = "\n"
"""Stands between the names in a value that is several of many: names may hold commas."""


def names_in(value: str) -> tuple[str, ...]:
    """The names of a value that is several of many."""
    return tuple(filter(None, value.split(BETWEEN)))


def change(
    app: App[Any], option: Option, chosen: Mapping[str, str], step: int, several: Sequence[str], choose: Choose
) -> None:
    """Choose the value so many steps away, and ask for one where there are none to step over; see `ask_for`."""
    if option.steps:
        choose(option.name, option.after(chosen.get(option.name, ""), step))
    else:
        ask_for(app, option, chosen, several, choose)


def ask_for(app: App[Any], option: Option, chosen: Mapping[str, str], several: Sequence[str], choose: Choose) -> None:
    """Ask for another value; nothing where the option has only one and none can be typed.

    Args:
        app: where it is asked.
        option: what is asked for; one of a `screen` of its own is several of many.
        chosen: the values that are chosen now, by the options' names.
        several: of what an option that is several of many has some.
        choose: called with the new value; not at all where the person leaves it.
    """
    title, value = f"{option.label}: {option.about}", chosen.get(option.name, "")
    answered = partial(choose, option.name)
    if option.screen:
        _tick(app, title, several, value, answered)
    elif option.steps:
        _list(app, title, option, value, answered)
    elif option.asks:
        _type(app, option.asks, value, answered)


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
