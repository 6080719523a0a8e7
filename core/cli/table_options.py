"""The options of `datasets import table`: what a person decides about tables of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from core.cli.commands import Finite, say
from core.datasets.tables.form import FORM_FILE, LABEL_WAYS, NO_PRESET, SUBJECT_WAYS, TableForm, checked, read_form
from core.errors import UsageError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.archive import Raw

_OPTIONS = (
    click.option("--label", "label", default="", metavar="WAY", help=f"For table: labels by {', '.join(LABEL_WAYS)}."),
    click.option("--subject", default="", metavar="WAY", help=f"For table: subjects by {', '.join(SUBJECT_WAYS)}."),
    click.option("--time", "time", default="", metavar="COLUMN", help="For table: the column of times."),
    click.option("--time-unit", default="", metavar="UNIT", help="For table: s, ms, us or ns."),
    click.option(
        "--rate",
        type=Finite(0, min_open=True),
        metavar="HZ",
        help="For table: rows a second, of files without times or whatever their times say.",
    ),
    click.option("--unit", "units", multiple=True, metavar="SENSOR=UNIT", help="For table: the unit of a sensor."),
    click.option("--drop", multiple=True, metavar="COLUMN", help="For table: a column that is no channel."),
    click.option(
        "--keep-whole", is_flag=True, help="For table: keep recordings whole, too, to be marked and cut anew."
    ),
    click.option(
        "--min-purity",
        type=Finite(0),
        default=0.0,
        metavar="SHARE",
        help="For table: the share of a window that its label must have, all of it unless told.",
    ),
    click.option(
        "--files",
        multiple=True,
        metavar="TEMPLATE",
        help="For table: which files, and what their paths tell, such as '{subject}/{label}_*.csv'.",
    ),
    click.option(
        "--preset",
        default="",
        metavar="NAME",
        help=f"For table: read as `datasets presets NAME` says; `{NO_PRESET}` for none, not even one that fits.",
    ),
    click.option(
        "--form",
        metavar="NAME|FILE",
        help=f"For table: decide as for the dataset of that name, or as that {FORM_FILE} says.",
    ),
    click.option("--look", is_flag=True, help="For table: say how it would be imported, and import nothing."),
    click.option("--yes", is_flag=True, help="For table: import without asking."),
)


@dataclass(frozen=True, slots=True)
class TableRequest:
    """What was asked for about tables."""

    form: TableForm
    form_from: str | None
    look: bool
    yes: bool

    @property
    def empty(self) -> bool:
        """Whether nothing was said."""
        return self == TableRequest(TableForm(), None, False, False)

    @property
    def asks(self) -> bool:
        """Whether somebody is there to be asked, and wants to be."""
        return sys.stdin.isatty() and sys.stdout.isatty() and not self.yes

    def decided(self, workspace: Workspace, paths: Sequence[Path] = ()) -> TableForm:
        """The form, with what it leaves open taken from an earlier one, or from the preset that it names or that fits
        the files at these paths.

        Raises:
            UsageError: the earlier form cannot be read, or there is no such preset.
            DatasetError: the files cannot be read, or a preset says that they cannot be imported.
        """
        form = self.form
        if self.form_from is not None:
            of_dataset = workspace.data / self.form_from / FORM_FILE
            form = form.over_earlier(read_form(of_dataset if of_dataset.is_file() else Path(self.form_from)))
        if not paths or (self.form_from is not None and not self.form.preset):
            return form
        from core.datasets.presets.fitting import with_preset
        from core.datasets.presets.pages import presets

        def wrong(name: str, error: UsageError) -> None:
            if name == form.preset:
                raise error
            say(f"note: {error}; the page is left out", err=True)

        with _opened(paths) as raw:
            return with_preset(raw, form, presets(workspace, wrong), tell=partial(say, err=True))


@contextmanager
def _opened(paths: Sequence[Path]) -> Generator[Raw]:
    import tempfile

    from core.datasets.archive import open_raw

    with tempfile.TemporaryDirectory() as scratch, open_raw(paths[0], Path(scratch) / "unpacked", *paths[1:]) as raw:
        yield raw


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for tables; it receives them as `table`."""

    @wraps(function)
    def gathered(*args: Any, units: tuple[str, ...], **options: Any) -> Any:
        names = ("label", "subject", "time", "time_unit", "drop", "keep_whole", "min_purity", "files", "preset")
        own = {name: options.pop(name) for name in names}
        form = TableForm(**own, rate_hz=options.pop("rate") or 0.0, units=sensor_units(units))
        table = TableRequest(checked(form), options.pop("form"), options.pop("look"), options.pop("yes"))
        return function(*args, table=table, **options)

    wrapped = cast("Callable[..., Any]", gathered)
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def sensor_units(pairs: tuple[str, ...]) -> dict[str, str]:
    """`--unit acc=g` as a table. Raises UsageError."""
    parts = {pair: pair.partition("=") for pair in pairs}
    if wrong := next((pair for pair, (sensor, _, unit) in parts.items() if not (sensor and unit)), ""):
        raise UsageError(f"--unit {wrong}: a sensor and its unit are needed, such as acc=g")
    return {sensor: unit for sensor, _, unit in parts.values()}


def agreed(paths: Sequence[Path], form: TableForm, table: TableRequest) -> bool:
    """Show how tables would be imported, and ask, where somebody can answer, whether they are to be.

    Args:
        paths: the folders, archives or files.
        form: what is decided.
        table: what was asked for.

    Raises:
        DatasetError: they cannot be imported; the message says why.
    """
    if not (table.look or table.asks):
        return True
    from core.datasets.tables.proposal import look_at_tables

    with _opened(paths) as raw:
        for line in look_at_tables(raw, form).lines():
            say(line)
    return not table.look and click.confirm("import it so? (options change it: --help)", default=True)
