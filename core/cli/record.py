"""`sensorloom record`: what a sensor sends now, into a dataset."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import Finite, json_option, print_json, say, workspace_options
from core.cli.record_watch import watching
from core.cli.stopping import stopped_by_signals
from core.cli.table_options import sensor_units
from core.datasets.tables.form import TableForm, checked
from core.errors import UsageError
from core.text import counted, reason_counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.recording.finishing import Finished
    from core.recording.session import Ended
    from core.recording.sources import Source

_SOURCES = ("follow", "udp", "tcp", "http", "serial", "mqtt")


@click.command("record")
@click.argument("dataset", metavar="NAME", required=False)
@click.option("--follow", type=click.Path(path_type=Path), metavar="FILE", help="Lines of a file that grows.")
@click.option("--udp", metavar="[HOST:]PORT", help="Datagrams; of this computer alone without a host.")
@click.option("--tcp", metavar="[HOST:]PORT", help="Lines of whoever connects; likewise.")
@click.option("--http", metavar="[HOST:]PORT", help="Messages by POST, such as Sensor Logger's push; likewise.")
@click.option("--serial", metavar="DEVICE[@BAUD]", help="A serial port; needs sensorloom[serial].")
@click.option("--mqtt", metavar="URL", help="A topic, as mqtt://HOST/TOPIC; needs sensorloom[mqtt].")
@click.option(
    "--time", "time", default="", metavar="COLUMN", help="The column of times; decided by looking unless told."
)
@click.option("--time-unit", default="", metavar="UNIT", help="What it counts in: s, ms, us or ns.")
@click.option("--rate", type=Finite(0, min_open=True), metavar="HZ", help="Rows a second of a source without times.")
@click.option("--unit", "units", multiple=True, metavar="SENSOR=UNIT", help="The unit of a sensor.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="A column that is no channel.")
@click.option("--label", default="", help="What is done from the beginning.")
@click.option("--labels", default="", metavar="A,B,…", help="What can be marked by the keys 1, 2 …; 0 ends it.")
@click.option("--subject", default="", metavar="NAME", help="Who is recorded.")
@click.option("--length", "length", type=Finite(0.1, 3600), default=5.0, show_default=True, help="A window's seconds.")
@click.option("--overlap", type=Finite(0, 0.95), default=0.0, show_default=True, help="Share that windows repeat.")
@click.option("--seconds", type=Finite(0, min_open=True), metavar="N", help="End after so long.")
@click.option("--idle", type=Finite(0, min_open=True), metavar="N", help="End when nothing came for so long.")
@click.option("--last", is_flag=True, help="Begin a thread on the last window of the recording under way.")
@click.option("--recover", is_flag=True, help="Only bring into datasets what recorders left that died.")
@json_option
@workspace_options
def command(workspace: Workspace, dataset: str | None, as_json: bool, **options: Any) -> int:
    """Record lines of CSV or JSON, from standard input unless another source is named, into the dataset NAME.

    A line `label: walking` among them, or on standard input beside another source, marks what is done from then on.
    Ctrl-C ends it: the recording then stands in the dataset, whole and cut into windows. docs/recording.md has more.
    """
    from core.recording.finishing import finish_left

    if options["last"]:
        return _begin_on_last(workspace, dataset or "", as_json)
    left = finish_left(workspace)
    for outcome in left:
        say(outcome if isinstance(outcome, str) else f"left by an earlier recording: {_told(outcome)}", err=True)
    if options["recover"]:
        if as_json:
            print_json([outcome if isinstance(outcome, str) else _document(outcome) for outcome in left])
        elif not left:
            say("nothing was left to recover")
        return 1 if any(isinstance(outcome, str) for outcome in left) else 0
    if dataset is None:
        raise UsageError("name the dataset that is recorded into: sensorloom record NAME")
    return _record(workspace, dataset, as_json, options)


def _record(workspace: Workspace, dataset: str, as_json: bool, options: dict[str, Any]) -> int:
    from core.recording.session import Request, record
    from core.recording.standing import check_name

    form = TableForm(
        time=options["time"],
        time_unit=options["time_unit"],
        rate_hz=options["rate"] or 0.0,
        units=sensor_units(options["units"]),
        drop=options["drop"],
    )
    labels = tuple(filter(None, (" ".join(label.split()) for label in options["labels"].split(","))))
    check_name(workspace, dataset)
    request = Request(
        dataset,
        checked(form),
        options["length"],
        options["overlap"],
        options["subject"].strip(),
        " ".join(options["label"].split()),
        labels,
        options["seconds"],
        options["idle"],
    )
    source, from_stdin = _source(options)
    with stopped_by_signals() as stop, watching(workspace, from_stdin, quiet=as_json) as watch:
        watch.tell(f"recording {dataset} from {source.name}; ctrl-C ends it")
        ended = record(workspace, request, source, watch, stop)
    if as_json:
        print_json({"ended": ended.reason, "problem": ended.problem,
                    **(_document(ended.finished) if ended.finished else {})})  # fmt: skip
    else:
        _tell_end(ended)
    return 1 if ended.finished is None or not ended.finished.seconds else 0


def _source(options: dict[str, Any]) -> tuple[Source, bool]:
    """The source that is named, and whether it is standard input. Raises UsageError."""
    from core.recording import network, sources

    chosen = [name for name in _SOURCES if options[name]]
    if len(chosen) > 1:
        raise UsageError(f"--{chosen[0]} and --{chosen[1]}: one source at a time; record the other beside it")
    if not chosen:
        if sys.stdin.isatty():
            ways = ", ".join(f"--{name}" for name in _SOURCES)
            raise UsageError(f"nothing comes in: pipe lines into it, or name a source: {ways}")
        return sources.from_descriptor(sys.stdin.fileno()), True
    openers = {"follow": sources.growing_file, "udp": sources.udp, "tcp": sources.tcp,
               "http": network.http, "serial": network.serial, "mqtt": network.mqtt}  # fmt: skip
    return openers[chosen[0]](options[chosen[0]]), False


def _begin_on_last(workspace: Workspace, dataset: str, as_json: bool) -> int:
    from core.recording.last_window import NOT_CHECKED, begin_thread, cut_last, recording_under_way

    window = cut_last(workspace, recording_under_way(workspace, dataset))
    stored = begin_thread(workspace, window)
    if as_json:
        print_json({"thread": stored.stem, "dataset": window.dataset, "session": window.session,
                    "label": window.label, "seconds": window.seconds})  # fmt: skip
        return 0
    say(stored.stem)
    say(f"about the last {window.seconds:.1f} s, {window.dataset}/{window.session}: "
        f"{f'marked as {window.label}' if window.label else NOT_CHECKED}; `sensorloom run {stored.stem}` answers",
        err=True)  # fmt: skip
    return 0


def _tell_end(ended: Ended) -> None:
    from core.recording.live_folder import TROUBLES, troubles

    say(f"ended: {ended.reason}")
    if ended.problem:
        say(ended.problem, err=True)
    if ended.finished is None:
        return
    say(_told(ended.finished))
    for note in ended.finished.notes:
        say(f"  {note}")
    left_out = ((reason, count) for reason, count in ended.finished.counts.items() if reason not in TROUBLES)
    for line in (*troubles(ended.finished.counts), *(reason_counted(count, reason) for reason, count in left_out)):
        say(f"  {line}")
    if ended.finished.seconds and not ended.finished.windows:
        name, seconds = f"{ended.finished.dataset} {ended.finished.recording}", ended.finished.seconds
        say("  no window of one label comes of it: mark by key, --label or lines `label: NAME`, or now with")
        say(f"  `sensorloom datasets mark {name} --from 0 --to {seconds:.0f} --label NAME`, then `datasets cut`")


def _told(finished: Finished) -> str:
    if not finished.seconds:
        return f"{finished.dataset}/{finished.recording}: no rows came, so there is nothing to keep"
    windows = ", ".join(f"{label} {count}" for label, count in finished.windows.items())
    rest = f"; {finished.unlabelled_sec:.1f} s have no label" if finished.unlabelled_sec > 0.05 else ""
    return (
        f"{finished.dataset}/{finished.recording}: {finished.seconds:.1f} s at {finished.rate_hz:.4g} Hz, "
        f"{counted(sum(finished.windows.values()), 'session')}{f' ({windows})' if windows else ''}{rest}"
    )


def _document(finished: Finished) -> dict[str, Any]:
    return {
        "dataset": finished.dataset,
        "recording": finished.recording,
        "seconds": finished.seconds,
        "rate_hz": finished.rate_hz,
        "sessions": dict(finished.windows),
        "unlabelled_seconds": finished.unlabelled_sec,
        "counts": dict(finished.counts),
        "notes": list(finished.notes),
    }
