"""`sensorloom datasets mark` and `cut`: label stretches of a recording kept whole, and cut windows of it anew."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.cli.commands import Finite, json_option, print_json, progress_bar, say, workspace_options
from core.errors import UsageError
from core.text import counted
from core.workspace import Workspace


@click.command("mark")
@click.argument("name")
@click.argument("recording", metavar="RECORDING")
@click.option("--from", "start", type=Finite(), metavar="SECONDS", help="Where the stretch begins.")
@click.option("--to", "end", type=Finite(), metavar="SECONDS", help="Where it ends.")
@click.option("--label", help="What it is of; it takes the place of what was marked there.")
@click.option("--clear", is_flag=True, help="Take the labels there away.")
@click.option("--list", "listing", is_flag=True, help="Only list the stretches.")
@click.option("--undo", is_flag=True, help="Take the last marking back.")
@click.option("--redo", is_flag=True, help="Do again what was taken back.")
@json_option
@workspace_options
def mark_command(
    workspace: Workspace,
    name: str,
    recording: str,
    start: float | None,
    end: float | None,
    label: str | None,
    clear: bool,
    listing: bool,
    undo: bool,
    redo: bool,
    as_json: bool,
) -> None:
    """Label a stretch of a RECORDING that the dataset NAME keeps whole.

    Stretches are kept in intervals.csv beside the recording; windows change only when `sensorloom datasets cut` cuts
    them anew. A session that was cut already has one label, and is not marked.
    """
    from core.datasets.standard import open_dataset
    from core.datasets.whole.marks import cleared, marked, redone, undone
    from core.datasets.whole.marks_file import read_marks, save_marks
    from core.datasets.whole.recording import check_within, recording_folder

    if sum((label is not None, clear, listing, undo, redo)) != 1:
        raise UsageError("say one of --label, --clear, --list, --undo and --redo")
    stored = read_marks(recording_folder(open_dataset(workspace, name), recording))
    if not listing:
        if undo or redo:
            marks = undone(stored.marks) if undo else redone(stored.marks)
        elif start is None or end is None:
            raise UsageError("a stretch needs --from and --to")
        else:
            check_within(stored.folder, start, end)
            marks = cleared(stored.marks, start, end) if clear else marked(stored.marks, start, end, label or "")
        stored = save_marks(stored, marks)
    stretches = stored.marks.stretches
    if as_json:
        print_json({"dataset": name, "recording": recording, "stretches": [asdict(mark) for mark in stretches]})
        return
    for mark in stretches if listing else ():
        say(f"{mark.start_sec:10.2f} to {mark.end_sec:10.2f} s  {mark.label}")
    labels = counted(len(stored.marks.labels), "label")
    say(f"{recording}: {counted(len(stretches), 'stretch')} of {labels}, "
        f"{stored.marks.marked_sec:.1f} s in all")  # fmt: skip


@click.command("cut")
@click.argument("name")
@click.option("--length", type=Finite(0, min_open=True), default=5.0, metavar="SECONDS", help="A window's length: 5.")
@click.option("--overlap", type=Finite(0), default=0.0, metavar="SHARE", help="What the next window repeats: 0.")
@click.option(
    "--min-purity", type=Finite(0, 1), default=1.0, metavar="SHARE",
    help="Share of a window that its label must have: 1, which begins windows anew with each stretch.",
)  # fmt: skip
@json_option
@workspace_options
def cut_command(
    workspace: Workspace, name: str, length: float, overlap: float, min_purity: float, as_json: bool
) -> None:
    """Cut the windows of the dataset NAME anew from the recordings that it keeps whole, by what is marked in them.

    The dataset as it was stays beside it, hidden; `sensorloom datasets mend NAME --undo` takes it back. A window that
    lies where one lay before keeps its name, and one that a thread is about stays; what is not there any more, or has
    another label now, is told.
    """
    from core.datasets.whole.cutting import Windows, cut_dataset
    from core.listing.index import sessions_used

    used = sessions_used(workspace, name)
    with progress_bar(f"cutting {name}") as progress:
        report = cut_dataset(workspace, name, Windows(length, overlap, min_purity), progress, used)
    if as_json:
        print_json(asdict(report) | {"replaced": workspace.shown(report.replaced)})
        return
    say(f"{name}: {counted(report.sessions, 'session')} of {length:g} s")
    for line in report.lines():
        say(line)
    say(f"  as it was it is kept in {workspace.shown(report.replaced)}; `sensorloom datasets mend {name} --undo`")
