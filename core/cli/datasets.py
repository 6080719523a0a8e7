"""`sensorloom datasets`: import, list, check, mark and cut datasets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import replace as replace_fields
from typing import TYPE_CHECKING

import click

from core.cli import presets
from core.cli.commands import Finite, json_option, print_json, progress_bar, say, workspace_options
from core.cli.get_dataset import get_command
from core.cli.marking import cut_command, mark_command
from core.cli.show_dataset import show_command
from core.cli.sources import drop_downloads, local_paths
from core.cli.table_options import TableRequest, agreed, sensor_units, table_options
from core.errors import UsageError
from core.text import counted, one_line, reason_counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.datasets.importing import ImportReport


@click.group("datasets")
def command() -> None:
    """Import, list and check datasets, mark recordings and cut windows of them."""


command.add_command(get_command)
command.add_command(mark_command)
command.add_command(cut_command)
command.add_command(show_command)


command.add_command(presets.command)


@command.command("import")
@click.argument("importer", metavar="NAME")
@click.argument("sources", metavar="[PATH|URL]...", nargs=-1)
@click.option(
    "--name", metavar="NAME", help="What the dataset is called; the importer's name unless told, or your own folder's."
)
@click.option(
    "--length",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Length of a window; each importer has a sensible one.",
)
@click.option("--overlap", type=Finite(0), metavar="SHARE", help="Share of a window that the next one repeats, from 0.")
@click.option("--seed", type=int, help="For demo: what everything is drawn from.")
@click.option("--device", metavar="DEVICE", help="For wisdm: only the sessions of phone or of watch.")
@click.option("--replace", is_flag=True, help="Put it in the place of the dataset of that name, which is kept hidden.")
@table_options
@json_option
@workspace_options
def import_command(
    workspace: Workspace,
    table: TableRequest,
    importer: str,
    sources: tuple[str, ...],
    name: str | None,
    length: float | None,
    overlap: float | None,
    seed: int | None,
    device: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Import a dataset from its raw folder or archive, as published, or recordings of your own.

    NAME is demo (synthetic, needs no PATH), uci_har, pamap2, mhealth, wisdm, wisdm_v1, hapt, or table for recordings of
    your own: folders, archives or files of CSV, TSV, Parquet or JSON lines, or as an app, a device or a public set
    writes them (`datasets presets`). What is not told is decided by looking and shown. With planted, PATH is a dataset
    in the standard form: sessions with changes and faults are made of it.
    A URL (s3://, gs://, https://) is brought here first, with the credentials of the environment.
    An import that was interrupted goes on where it stopped when it is started again.
    """
    from core.datasets.importing import import_dataset, importer_named
    from core.datasets.plan import ImportOptions
    from core.datasets.standard import open_dataset

    importer_named(importer)
    if importer != "table" and not table.empty:
        raise UsageError(f"{importer} is read as its publishers wrote it: options for tables go with `import table`")
    paths = local_paths(workspace, sources)
    form = table.decided(workspace, paths if importer == "table" else ())
    if importer == "table" and paths and not agreed(paths, form, table):
        return
    options = ImportOptions(length, overlap, seed, device, form)
    try:
        with progress_bar(f"importing {importer}") as progress:
            report = import_dataset(
                workspace, importer, *paths, name=name, options=options, replace=replace, progress=progress
            )
    except KeyboardInterrupt:
        say("what was imported so far is kept; the same command goes on from there", err=True)
        raise
    drop_downloads(workspace, sources)
    began = time.monotonic()
    with progress_bar("computing features") as progress:
        open_dataset(workspace, report.dataset).features(progress)
    report = replace_fields(report, seconds=round(report.seconds + time.monotonic() - began, 2))
    if as_json:
        folders = {"folder": str(report.folder), "replaced": str(report.replaced) if report.replaced else None}
        print_json(asdict(report) | folders)
    else:
        _tell(workspace, report, () if table.asks else report.told)


@command.command("list")
@json_option
@workspace_options
def list_command(workspace: Workspace, as_json: bool) -> None:
    """List the datasets of the workspace."""
    from core.datasets.standard import list_datasets

    datasets = list_datasets(workspace)
    if as_json:
        print_json([asdict(dataset) for dataset in datasets])
        return
    if not datasets:
        say(f"no datasets in {workspace.shown(workspace.data)}; make one with `sensorloom datasets import demo`")
    for dataset in datasets:
        of_people = f"{counted(dataset.sessions, 'session')} of {_people(dataset.subjects)}"
        told = f"{of_people}, {len(dataset.activities)} activities"
        say(f"{one_line(dataset.name)}: {dataset.problem or told + (', synthetic' if dataset.synthetic else '')}")


@command.command("check")
@click.argument("name")
@json_option
@workspace_options
def check_command(workspace: Workspace, name: str, as_json: bool) -> int:
    """Verify a dataset in the standard form. The exit code is 1 when something in it will not work."""
    from core.datasets.check import check_dataset

    with progress_bar(f"checking {name}") as progress:
        report = check_dataset(workspace, name, progress)
    if as_json:
        print_json(
            {"dataset": name, "sessions": report.sessions, "findings": [asdict(finding) for finding in report.findings]}
        )
    else:
        for finding in report.findings:
            say(f"{finding.level}: {finding.with_mend(name)}")
        counts = f"{counted(len(report.errors), 'error')}, {counted(len(report.warnings), 'warning')}"
        say(f"{name}: {counted(report.sessions, 'session')} read, {counts if report.findings else 'nothing to say'}")
    return 1 if report.errors else 0


@command.command("mend")
@click.argument("name")
@click.option("--time-unit", type=click.Choice(["ms", "us", "ns"]), help="What the times count in instead of seconds.")
@click.option(
    "--times",
    type=click.Choice(["sort", "append", "spread", "even"]),
    help="sort rows by time; append a stretch whose clock begins again; spread rows with one stamp until the next; "
    "make even times from the manifest's rate.",
)
@click.option("--unit", "units", multiple=True, metavar="SENSOR=UNIT", help="The unit that samples are really in.")
@click.option("--drop", multiple=True, metavar="CHANNEL", help="Take a channel out, such as one that is the label.")
@click.option("--numbers", is_flag=True, help="Make text that holds numbers into numbers, and dates into seconds.")
@click.option("--first-of-twins", is_flag=True, help="Of several columns with one name use the first.")
@click.option(
    "--first-of-copies",
    is_flag=True,
    help="Of sessions with the same samples, label and person keep one, and those that threads are about.",
)
@click.option(
    "--cut",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Cut sessions that are longer into windows of that length; one that a thread is about stays beside them.",
)
@click.option("--undo", is_flag=True, help="Put the dataset as it was before back in its place.")
@workspace_options
def mend_command(
    workspace: Workspace,
    name: str,
    time_unit: str | None,
    times: str | None,
    units: tuple[str, ...],
    drop: tuple[str, ...],
    numbers: bool,
    first_of_twins: bool,
    first_of_copies: bool,
    cut: float | None,
    undo: bool,
) -> None:
    """Put right what `datasets check` names. The dataset as it was stays beside it, hidden; --undo takes it back."""
    from core.datasets.mend import Mends, mend_dataset, unmend_dataset
    from core.listing.index import sessions_used

    mends = Mends(numbers, first_of_twins, time_unit, times, sensor_units(units), drop, first_of_copies, cut)
    if undo:
        if mends != Mends():
            raise UsageError("--undo puts the earlier form back and mends nothing; give it alone")
        replaced = unmend_dataset(workspace, name)
        say(f"{name} is as it was before; the mended one is kept in {workspace.shown(replaced)}")
        return
    with progress_bar(f"mending {name}") as progress:
        original = mend_dataset(workspace, name, mends, progress, sessions_used(workspace, name))
    say(f"{name} is mended; as it was it is kept in {workspace.shown(original)}")
    say(f"  `sensorloom datasets mend {name} --undo` takes it back; threads made before may replay differently")


def _people(subjects: int) -> str:
    return counted(subjects, "subject") if subjects else "unknown subjects"


def _tell(workspace: Workspace, report: ImportReport, told: Sequence[str]) -> None:
    """Say what an import did; `told` is what was decided on the way, where it was not shown before."""
    for line in told:
        say(line)
    say(
        f"{report.dataset}: {counted(report.sessions, 'session')} of {_people(report.subjects)} "
        f"in {workspace.shown(report.folder)} ({report.seconds:.1f} s)"
    )
    if report.resumed:
        say(f"  {report.resumed} of them were there from an import that had been interrupted")
    for label, count in report.activities.items():
        say(f"  {count:6d}  {label}")
    for reason, count in report.dropped.items():
        say(f"  left out: {reason_counted(count, reason)}")
    if report.recordings:
        first = report.recordings[0]
        say(f"  {counted(len(report.recordings), 'recording')} kept whole, such as {first}")
        say(f"  `sensorloom datasets mark {report.dataset} {first}` marks it, `datasets cut` cuts windows anew")
    if report.replaced:
        say(f"  the dataset that stood there is kept in {workspace.shown(report.replaced)}; delete it when you like")
