"""The datasets of the workspace: importing, checking and mending them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import getters
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from core.datasets.standard import DatasetInfo, list_datasets
from core.errors import SensorloomError
from core.text import counted, one_line, reason_counted
from core.workspace import Workspace
from tui.dialogs.ask import AskTextScreen
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.picker import Choice, Picker
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.datasets.importing import ImportReport
    from core.datasets.plan import Importer

TOLD = 8
"""Findings of a check that are told; the command tells all."""


class DataScreen(Guarded, ModalScreen[bool]):
    """Lists the datasets. Its result says whether one changed."""

    DEFAULT_CSS = """
    DataScreen #datasets { height: 12; }
    DataScreen #said { height: auto; max-height: 14; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("data")]

    picker = getters.query_one(Picker)

    def __init__(self, workspace: Workspace, *, blind: bool = False) -> None:
        """Args: with `blind` nothing that opens from here tells a session's label."""
        super().__init__()
        self._workspace = workspace
        self._blind = blind
        self._names: list[str] = []
        self._mends: dict[str, str] = {}
        """What the check of a dataset named to mend it."""
        self._importers: Mapping[str, Importer] = {}
        """What can be imported, by name."""
        self._busy = False
        self._changed = False

    def compose(self) -> ComposeResult:
        """The datasets, and what was found or done."""
        with Vertical(id="dialog"):
            yield Picker(id="datasets")
            yield Plain(id="said")

    def on_mount(self) -> None:
        """List them."""
        box = self.query_one("#dialog")
        box.border_title = "data"
        box.border_subtitle = keys_of(self).hints(
            "data.show", "data.import", "data.check", "data.mend", "data.unmend", "data.mark", "data.cut", "data.back"
        )
        self.picker.empty = "reading …"
        self.picker.focus()
        self.run_worker(self._list, thread=True)

    def _list(self) -> None:
        from tui.screens.importing import importers

        self._importers = self._importers or importers()
        self.call_later(self._listed, list_datasets(self._workspace))

    def _listed(self, datasets: Sequence[DatasetInfo]) -> None:
        key = keys_of(self)["data.import"]
        self.picker.empty = f"no datasets in {one_line(self._workspace.shown(self._workspace.data))}; {key} imports one"
        self._names = [dataset.name for dataset in datasets]
        self.picker.show([Choice(dataset.name, dataset.problem or _size(dataset)) for dataset in datasets],
                         min(self.picker.cursor, max(0, len(datasets) - 1)))  # fmt: skip

    def action_import_data(self) -> None:
        """Ask what is imported, and import it."""
        from tui.screens.importing import choose_import, import_published

        if not self._importers:
            self._say("still reading what can be imported")
            return
        imported = partial(_imported, new=keys_of(self)["thread.new"])

        def own(report: ImportReport) -> None:
            self._done(imported(report))

        def published(kind: str, path: Path | None) -> None:
            self._do(
                f"importing {kind}", lambda: imported(import_published(self._workspace, kind, path, self._progress))
            )

        choose_import(self, self._workspace, self._importers, own=own, published=published)

    def action_show(self) -> None:
        """Show what the dataset under the cursor holds."""
        from tui.screens.dataset_overview import DatasetOverviewScreen

        if (name := self._pointed) is not None:
            self.app.push_screen(DatasetOverviewScreen(self._workspace, name))

    def action_check(self) -> None:
        """Check the dataset under the cursor."""
        if (name := self._pointed) is not None:
            self._do(f"checking {name}", partial(self._check, name))

    def _check(self, name: str) -> str:
        from core.datasets.check import check_dataset

        report = check_dataset(self._workspace, name, self._progress)
        mends = dict.fromkeys(finding.mend for finding in report.findings if finding.mend)
        self._mends[report.dataset] = " ".join(mends)
        errors, warnings = counted(len(report.errors), "error"), counted(len(report.warnings), "warning")
        counts = f"{errors}, {warnings}" if report.findings else "nothing is wrong"
        lines = [f"{report.dataset}: {counted(report.sessions, 'session')} read, {counts}"]
        lines += [f"{finding.level}: {one_line(finding.sentence, 400)}" for finding in report.findings[:TOLD]]
        if len(report.findings) > TOLD:
            lines.append(f"and more: sensorloom datasets check {report.dataset}")
        return "\n".join([*lines, *([f"{keys_of(self)['data.mend']} mends what can be mended"] if mends else [])])

    def action_mend(self) -> None:
        """Ask what is to be mended in the dataset under the cursor, and do it."""
        name = self._pointed
        if name is None:
            return

        def typed(text: str | None) -> None:
            if text:
                self._do(f"mending {name}", partial(self._mend, name, text))

        asks = f"mend {name}: what the check names, such as --time-unit ms, --drop CHANNEL, --unit acc=g"
        self.app.push_screen(AskTextScreen(asks, self._mends.get(name, "")), typed)

    def _mend(self, name: str, text: str) -> str:
        from core.datasets.mend import mend_dataset, mends_in
        from core.listing.index import sessions_used

        mend_dataset(self._workspace, name, mends_in(text), self._progress, sessions_used(self._workspace, name))
        self._mends.pop(name, None)
        undo = keys_of(self)["data.unmend"]
        return f"{name} is mended; {undo} puts it back as it was. Threads made before may replay differently."

    def action_unmend(self) -> None:
        """Put the dataset under the cursor back as it was before it was mended or replaced."""
        name = self._pointed
        if name is None:
            return

        def unmend() -> str:
            from core.datasets.mend import unmend_dataset

            other = unmend_dataset(self._workspace, name)
            return f"{name} is as it was before; the other one is kept in {self._workspace.shown(other)}"

        self._do(f"putting {name} back", unmend)

    def action_recordings(self, cut: bool) -> None:
        """Mark a recording that the dataset under the cursor keeps whole, or cut windows of them anew."""
        from tui.screens.data_recordings import cut_anew, mark_recording

        name = self._pointed
        if name is not None and cut:
            cut_anew(self, self._workspace, name, self._do, self._progress)
        elif name is not None:
            mark_recording(self, self._workspace, name, self._say, hides_labels=self._blind)

    def action_leave(self) -> None:
        """Back; what is under way goes on to its end, and is told then."""
        self.dismiss(self._changed)

    @property
    def _pointed(self) -> str | None:
        """The dataset under the cursor."""
        return self._names[self.picker.cursor] if self._names else None

    def _do(self, what: str, work: Callable[[], str]) -> None:
        """Carry out what takes time on a worker's thread, and say what came of it."""
        if self._busy:
            self._say("the last one is still under way")
            return
        self._busy = True
        self._say(f"{what} …")
        self.run_worker(partial(self._work, work, self.app), thread=True)

    def _work(self, work: Callable[[], str], app: App[object]) -> None:
        try:
            sentence = work()
        except SensorloomError as error:
            sentence = str(error)
        if self in app.screen_stack:
            self.call_later(self._done, sentence)
        else:  # it was left meanwhile
            app.call_later(partial(app.notify, one_line(sentence, 400), markup=False))

    def _done(self, sentence: str) -> None:
        self._busy, self._changed = False, True
        self._say(sentence)
        self.run_worker(self._list, thread=True)

    def _progress(self, done: int, total: int, what: str = "") -> None:
        """Say how far it is."""
        self.call_later(self._say, f"{one_line(what, 60)}  {done:,} of {total:,}")

    def _say(self, text: str) -> None:
        """Say it below the datasets."""
        self.query_one("#said", Plain).show("\n".join(one_line(line, 500) for line in text.split("\n")))


def _size(dataset: DatasetInfo) -> str:
    people = counted(dataset.subjects, "subject") if dataset.subjects else "unknown subjects"
    labels = counted(len(dataset.activities), "label")
    return f"{counted(dataset.sessions, 'session')} of {people}, {labels}{', synthetic' if dataset.synthetic else ''}"


def _imported(report: ImportReport, new: str) -> str:
    dropped = "".join(f"; left out: {reason_counted(count, reason)}" for reason, count in report.dropped.items())
    done = f"{report.dataset}: {counted(report.sessions, 'session')} imported, {new} makes a thread about one{dropped}"
    return "\n".join((done, *report.told))
