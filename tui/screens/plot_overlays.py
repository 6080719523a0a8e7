"""What a plot asks for: a session or a label's band to lay over it, and where to save it as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from textual.screen import Screen

from core.errors import SensorloomError
from core.runs.plot_overlay import label_band, labels_to_lay_over, session_over, sessions_to_lay_over
from core.text import one_line
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.pick import PickScreen
from tui.widgets.plot_drawing import Drawing
from tui.widgets.pyramid import Pyramid


@dataclass(frozen=True, slots=True)
class Plot:
    """A screen that draws a plot, as far as it is asked for something here."""

    screen: Screen[None]
    drawing: Callable[[], Drawing | None]
    """What is drawn; None while it is read."""
    put: Callable[[Drawing], None]
    """Draws it."""


def say_failed(screen: Screen[None], error: SensorloomError) -> None:
    """Say why something could not be done."""
    screen.app.notify(one_line(str(error), 400), severity="error", markup=False)


def try_on_thread(screen: Screen[None], work: Callable[[], None]) -> None:
    """Do something on a worker's thread, to its end even where the screen is left; what fails is said."""

    def tried() -> None:
        try:
            work()
        except SensorloomError as error:
            screen.app.call_later(say_failed, screen, error)

    screen.app.run_worker(tried, thread=True)


def lay_session(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Lay another session over it, or take it away."""
    dataset = drawing.source.dataset
    if drawing.over is not None:
        plot.put(replace(drawing, over=None))
    elif dataset:

        def lay(session: str) -> None:
            over = (session, Pyramid(session_over(workspace, dataset, session)))
            plot.screen.app.call_later(_put, plot, partial(replace, over=over))

        _pick(plot, f"a session of {dataset}", partial(sessions_to_lay_over, workspace, dataset), lay)


def lay_band(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Lay the band of a label over it, or take it away."""
    source = drawing.source
    if drawing.band is not None:
        plot.put(replace(drawing, band=None))
    elif source.dataset:

        def lay(label: str) -> None:
            band = label_band(workspace, source.dataset, label, source.window.names, source.name)
            plot.screen.app.call_later(_put, plot, partial(replace, band=band))

        _pick(plot, f"a label of {source.dataset}", partial(labels_to_lay_over, workspace, source.dataset), lay)


def ask_and_save(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Ask where, and save what is shown as a picture."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in drawing.source.name)

    def save(text: str) -> None:
        from tui.widgets.plot_svg import save_svg

        path = save_svg(workspace.root / Path(text).expanduser(), drawing)
        told = f"saved in {one_line(workspace.shown(path), 200)}"
        plot.screen.app.call_later(partial(plot.screen.app.notify, told, markup=False))

    def named(text: str | None) -> None:
        if text:
            try_on_thread(plot.screen, partial(save, text))

    folder = workspace.shown(workspace.exports)
    plot.screen.app.push_screen(AskTextScreen("save as (.svg)", f"{folder}/plot-{name}.svg"), named)


def _put(plot: Plot, change: Callable[[Drawing], Drawing]) -> None:
    if (drawing := plot.drawing()) is not None:
        plot.put(change(drawing))


def _pick(plot: Plot, title: str, choices: Callable[[], list[str]], act: Callable[[str], None]) -> None:
    """Ask for one of what a worker reads, and act on it on a worker's thread."""

    def chosen(text: str | None) -> None:
        if text is not None:
            try_on_thread(plot.screen, partial(act, text))

    def read() -> None:
        screen = PickScreen(title, choices())
        plot.screen.app.call_later(plot.screen.app.push_screen, screen, chosen)

    try_on_thread(plot.screen, read)
