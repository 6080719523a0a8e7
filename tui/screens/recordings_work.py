"""Looking at recordings of one's own, and importing them, beside the screen's loop; each can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from textual.screen import Screen

from core.datasets.importing import ImportReport, import_dataset
from core.datasets.plan import ImportOptions, ImportStoppedError, Progress
from core.datasets.presets import pages
from core.datasets.presets.pages import Preset
from core.datasets.standard import dataset_names, open_dataset
from core.datasets.tables.form import FORM_FILE, read_form
from core.datasets.tables.preview import Preview, previews, with_its_preset
from core.errors import SensorloomError, UsageError
from core.storage.memory import remember
from core.text import one_line
from core.workspace import Workspace
from tui.dialogs.import_options import Known, summary

REMEMBERED = "folder of recordings"
"""Under what the folder that was imported from last is remembered."""
BAR = 24
"""Columns of the progress bar."""
_SHOWN_EVERY_SEC = 0.1
"""How far it is, is drawn so often at most."""


class RecordingsWork:
    """One look or import at a time; what is begun ends what was under way. Lives on the screen that shows it."""

    def __init__(
        self,
        screen: Screen[Any],
        workspace: Workspace,
        path: Path,
        *,
        knows: Callable[[Known], None],
        looked: Callable[[Preview], None],
        imported: Callable[[ImportReport], None],
        say: Callable[[str, bool], None],
    ) -> None:
        """Nothing is under way.

        Args:
            screen: the one that shows it.
            workspace: where the dataset goes.
            path: the recordings.
            knows: called with the datasets that there are.
            looked: called with what is known by now of how they would be imported.
            imported: called with what was imported.
            say: called with a sentence, and whether it is about something wrong.
        """
        self._screen = screen
        self._workspace = workspace
        self._path = path
        self._knows = knows
        self._looked = looked
        self._imported = imported
        self._say = say
        self._version = 0
        """Of what is wanted: work for an earlier one ends."""
        self._closed = False
        self.importing = False

    def look(self, options: ImportOptions, presets: Sequence[Preset] | None) -> None:
        """Look how they would be imported. Args: `presets` may fit; None for all, which are not known yet."""
        self._begin("looking …", partial(self._look, options, presets))

    def import_as(self, name: str, options: ImportOptions, presets: Sequence[Preset], *, replace: bool) -> None:
        """Import them."""
        self.importing = True
        self._begin("importing …", partial(self._import, name, options, presets, replace))

    def stop(self) -> None:
        """End what is under way; nothing of it stays."""
        self._version += 1

    def close(self) -> None:
        """End what is under way, and tell nothing any more: the screen is gone."""
        self._version += 1
        self._closed = True

    def _begin(self, sentence: str, work: Callable[[int], None]) -> None:
        self._version += 1
        self._say(sentence, False)
        self._screen.run_worker(partial(work, self._version), thread=True, group="recordings")

    def _look(self, options: ImportOptions, presets: Sequence[Preset] | None, version: int) -> None:
        def heard(preview: Preview) -> None:
            if version == self._version:
                self._looked(preview)

        preview: Preview | None = None
        try:
            if presets is None:
                known = _known(self._workspace, lambda _, error: self._later(self._left_out, str(error)))
                self._later(self._knows, known)
                presets = known.presets
            for preview in previews(self._path, options, self._progress("looking", version), presets):
                self._later(heard, preview)
            self._later(self._say_of, version, summary(preview) if preview else "", False)
        except ImportStoppedError:
            return
        except SensorloomError as error:
            self._later(self._say_of, version, str(error), True)

    def _import(
        self, name: str, options: ImportOptions, presets: Sequence[Preset], replace: bool, version: int
    ) -> None:
        progress = self._progress("importing", version)
        try:
            options = with_its_preset(self._path, options, presets)
            report = import_dataset(
                self._workspace, "table", self._path, name=name, options=options, replace=replace, progress=progress
            )
        except SensorloomError as error:
            stopped = isinstance(error, ImportStoppedError)
            self._later(self._end, "stopped; nothing was imported" if stopped else str(error))
            return
        with suppress(SensorloomError):  # they are computed when they are needed, then
            open_dataset(self._workspace, report.dataset).features(self._progress("computing features", version))
        with suppress(SensorloomError):
            remember(self._workspace, REMEMBERED, f"{self._path.parent}/")
        self._later(self._end, "", report)

    def _end(self, sentence: str, report: ImportReport | None = None) -> None:
        self.importing = False
        if report is not None:
            self._imported(report)
        else:
            self._say(sentence, True)

    def _left_out(self, why: str) -> None:
        """A page of one's own that cannot be read is told of for itself: the files are looked at all the same."""
        self._screen.notify(f"{one_line(why, 300)}; the page is left out", severity="warning", markup=False)

    def _say_of(self, version: int, sentence: str, is_wrong: bool) -> None:
        if version == self._version:
            self._say(sentence, is_wrong)

    def _progress(self, what: str, version: int) -> Progress:
        """Shows how far it is, and ends the work when it is not wanted any more."""
        shown = monotonic()

        def progress(done: int, total: int, name: str) -> None:
            nonlocal shown
            if version != self._version:
                raise ImportStoppedError(f"{what} was stopped")
            if monotonic() - shown >= _SHOWN_EVERY_SEC:
                shown = monotonic()
                filled = round(BAR * done / max(total, 1))
                bar = f"{'█' * filled}{'░' * (BAR - filled)}"
                self._later(self._say_of, version, f"{what}  {bar}  {one_line(name, 60)}", False)

        return progress

    def _later(self, call: Callable[..., object], *arguments: object) -> None:
        def told() -> None:
            if not self._closed:
                call(*arguments)

        self._screen.call_later(told)


def _known(workspace: Workspace, wrong: Callable[[str, UsageError], object]) -> Known:
    """The datasets, the decisions that were kept with them, every preset; `wrong` is told of a page that is none."""
    names = dataset_names(workspace)
    forms = {}
    for name in names:
        with suppress(SensorloomError):  # one that cannot be read is none to decide by
            if (file := workspace.data / name / FORM_FILE).is_file():
                forms[name] = read_form(file)
    return Known(names, forms, pages.presets(workspace, wrong))
