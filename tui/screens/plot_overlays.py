"""What a plot asks for: a session or a label's band to lay over it, and where to save it as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.screen import Screen

from core.errors import SensorloomError
from core.runs.plot_overlay import label_band, labels_to_lay_over, session_over, sessions_to_lay_over
from core.text import one_line
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.dialogs.pick import PickScreen
from tui.terminal.crash_guard import Guarded
from tui.widgets.plot_drawing import Drawing
from tui.widgets.pyramid import Pyramid


class Plot(Guarded, Screen[None]):
    """The screen, as far as it is asked for something here."""

    def __init__(self) -> None:
        super().__init__()
        self.drawing: Drawing | None = None
        """What is drawn; None while it is read."""

    def put(self, drawing: Drawing) -> None:
        """Draw it."""
        raise NotImplementedError

    def failed(self, error: SensorloomError) -> None:
        """Say why something could not be done."""
        self.app.notify(one_line(str(error), 400), severity="error", markup=False)

    def try_on_thread(self, work: Callable[[], None]) -> None:
        """Do something on a worker's thread, to its end even where the screen is left; what fails is said."""

        def tried() -> None:
            try:
                work()
            except SensorloomError as error:
                self.app.call_later(self.failed, error)

        self.app.run_worker(tried, thread=True)


def lay_session(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Lay another session over it, or take it away."""
    dataset = drawing.source.dataset
    if drawing.over is not None:
        plot.put(replace(drawing, over=None))
    elif dataset:

        def lay(session: str) -> None:
            over = (session, Pyramid(session_over(workspace, dataset, session)))
            plot.app.call_later(_put, plot, partial(replace, over=over))

        _pick(plot, f"a session of {dataset}", partial(sessions_to_lay_over, workspace, dataset), lay)


def lay_band(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Lay the band of a label over it, or take it away."""
    source = drawing.source
    if drawing.band is not None:
        plot.put(replace(drawing, band=None))
    elif source.dataset:

        def lay(label: str) -> None:
            band = label_band(workspace, source.dataset, label, source.window.names, source.name)
            plot.app.call_later(_put, plot, partial(replace, band=band))

        _pick(plot, f"a label of {source.dataset}", partial(labels_to_lay_over, workspace, source.dataset), lay)


def ask_and_save(plot: Plot, workspace: Workspace, drawing: Drawing) -> None:
    """Ask where, and save what is shown as a picture."""
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in drawing.source.name)

    def save(text: str) -> None:
        from tui.widgets.plot_svg import save_svg

        path = save_svg(workspace.root / Path(text).expanduser(), drawing)
        told = f"saved in {one_line(workspace.shown(path), 200)}"
        plot.app.call_later(partial(plot.app.notify, told, markup=False))

    def named(text: str | None) -> None:
        if text:
            plot.try_on_thread(partial(save, text))

    folder = workspace.shown(workspace.exports)
    plot.app.push_screen(AskTextScreen("save as (.svg)", f"{folder}/plot-{name}.svg"), named)


def _put(plot: Plot, change: Callable[[Drawing], Drawing]) -> None:
    if plot.drawing is not None:
        plot.put(change(plot.drawing))


def _pick(plot: Plot, title: str, choices: Callable[[], list[str]], act: Callable[[str], None]) -> None:
    """Ask for one of what a worker reads, and act on it on a worker's thread."""

    def chosen(text: str | None) -> None:
        if text is not None:
            plot.try_on_thread(partial(act, text))

    def read() -> None:
        screen = PickScreen(title, choices())
        plot.app.call_later(plot.app.push_screen, screen, chosen)

    plot.try_on_thread(read)
