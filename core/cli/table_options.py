"""The options of `datasets import table`: what a person decides about tables of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from core.cli.commands import Finite, say
from core.datasets.tables.form import FORM_FILE, LABEL_WAYS, SUBJECT_WAYS, TableForm, checked, read_form
from core.errors import UsageError
from core.workspace import Workspace

_OPTIONS = (
    click.option("--label", "label", default="", metavar="WAY", help=f"For table: labels by {', '.join(LABEL_WAYS)}."),
    click.option("--subject", default="", metavar="WAY", help=f"For table: subjects by {', '.join(SUBJECT_WAYS)}."),
    click.option("--time", "time", default="", metavar="COLUMN", help="For table: the column of times."),
    click.option("--time-unit", default="", metavar="UNIT", help="For table: s, ms, us or ns."),
    click.option(
        "--rate", type=Finite(0, min_open=True), metavar="HZ", help="For table: rows a second of files without times."
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

    def decided(self, workspace: Workspace) -> TableForm:
        """The form, with what it leaves open taken from an earlier one. Raises UsageError: that cannot be read."""
        if self.form_from is None:
            return self.form
        of_dataset = workspace.data / self.form_from / FORM_FILE
        return self.form.over(read_form(of_dataset if of_dataset.is_file() else Path(self.form_from)))


def table_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for tables; it receives them as `table`."""

    @wraps(function)
    def gathered(*args: Any, units: tuple[str, ...], **options: Any) -> Any:
        own = {
            name: options.pop(name)
            for name in ("label", "subject", "time", "time_unit", "drop", "keep_whole", "min_purity")
        }
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


def agreed(path: Path, form: TableForm, table: TableRequest) -> bool:
    """Show how tables would be imported, and ask, where somebody can answer, whether they are to be.

    Args:
        path: the folder, archive or file.
        form: what is decided.
        table: what was asked for.

    Raises:
        DatasetError: they cannot be imported; the message says why.
    """
    if not (table.look or table.asks):
        return True
    import tempfile

    from core.datasets.archive import open_raw
    from core.datasets.tables.proposal import look_at_tables

    with tempfile.TemporaryDirectory() as scratch, open_raw(path, Path(scratch) / "unpacked") as raw:
        for line in look_at_tables(raw, form).lines():
            say(line)
    return not table.look and click.confirm("import it so? (options change it: --help)", default=True)
