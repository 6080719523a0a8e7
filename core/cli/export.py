"""`sensorloom export`: write a training file."""

from __future__ import annotations

from typing import Any, Literal

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.datasets.held_out import roster
from core.export.options import refuse_ignored
from core.export.profiles import PROFILES, profile_of
from core.export.profiles.profile import TEMPLATES
from core.export.report import ExportReport, ExportRequest, NothingToExportError, Progress
from core.export.run import export
from core.export.split import Grouping, parse_split
from core.filters.language import parse, select
from core.listing.index import summaries
from core.storage import splits_file
from core.storage.export_log import export_states
from core.text import one_line
from core.workspace import Workspace

_ABOUT = "\n".join(f"{profile.name:16} {profile.about}" for profile in PROFILES.values())


@click.command("export", epilog=f"\b\nProfiles:\n{_ABOUT}")
@click.option("--all", "every", is_flag=True, help="Unfinished threads too. Finished ones only is recommended.")
@click.option("--status", is_flag=True, help="Export nothing: say what is new, exported, changed since, or held out.")
@click.option("--dry-run", is_flag=True, help="Write nothing: say what would leave, and why the rest would not.")
@click.option("--rejected", is_flag=True, help="Threads with the verdict `reject` too.")
@click.option("--filter", "wanted", default="", metavar="TEXT", help="Only threads that this filter selects.")
@click.option("--profile", default="openai_v1", metavar="NAME", help="The form of the rows; openai_v1 unless told.")
@click.option("--new", "new_only", is_flag=True, help="Only threads new or changed since this profile's last export.")
@click.option("--split", metavar="SHARES", help="train/val or train/val/test: 90/10, 80/10/10.")
@click.option("--group", type=click.Choice(["subject", "session", "family"]), default="subject", show_default=True,
              help="What a split must not part.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="For the split and the cap.")
@click.option("--hold-out", multiple=True, metavar="SESSION",
              help="Never train on it from now on: dataset/session or dataset/subject:name. Repeatable.")  # fmt: skip
@click.option("--release", multiple=True, metavar="SESSION",
              help="Take back a name that --hold-out remembered. Repeatable.")  # fmt: skip
@click.option("--dedupe", type=click.Choice(["off", "exact", "near"]), default="off", show_default=True,
              help="Leave out threads that say what an earlier one says.")  # fmt: skip
@click.option("--cap", type=click.IntRange(1), metavar="N", help="At most N threads of each label.")
@click.option("--split-calls", is_flag=True, help="Parallel calls as turns of one call each (Llama-3 templates).")
@click.option("--template", type=click.Choice(TEMPLATES), default="qwen", show_default=True,
              help="llamafactory: how results of parallel calls are joined.")  # fmt: skip
@click.option("--with-system", is_flag=True,
              help="The system prompt and the examples that were sent, too; the latter are not trained.")  # fmt: skip
@click.option("--mask-bad", is_flag=True, help="hf, openai: turns labelled bad stay as context, out of the loss.")
@click.option("--correct-only", is_flag=True,
              help="Leave out wrong answers that nobody accepted; as the settings say unless told.")  # fmt: skip
@click.option("--wrong-too", is_flag=True, help="Wrong answers too, whatever the settings say.")
@click.option("--call-ids", type=click.Choice(["stored", "neutral"]), default="stored", show_default=True,
              help="openai_v1: which call ids the rows have; those of other profiles are neutral.")  # fmt: skip
@json_option
@workspace_options
def command(
    workspace: Workspace, every: bool, status: bool, dry_run: bool, rejected: bool, wanted: str, profile: str,
    new_only: bool, split: str | None, group: Grouping, seed: int, hold_out: tuple[str, ...],
    release: tuple[str, ...], dedupe: Literal["off", "exact", "near"], cap: int | None, split_calls: bool,
    template: str, mask_bad: bool, with_system: bool, correct_only: bool, wrong_too: bool,
    call_ids: Literal["stored", "neutral"], as_json: bool,
) -> int:  # fmt: skip
    """Write threads to a training file, one thread a line: the finished ones that nobody rejected, unless told."""
    options = _chosen_options()
    if status:
        if ignored := options.keys() - _STATUS_TAKES:
            named = ", ".join(f"`{flag}`" for name, flag in options.items() if name in ignored)
            raise click.UsageError(f"`--status` exports nothing and changes nothing: leave out {named}")
        return _status(workspace, wanted, profile if "profile" in options else None, as_json)
    if (hold_out or release) and dry_run:
        raise click.UsageError("what is held out is remembered, and --dry-run writes nothing; name the sessions first")
    if correct_only and wrong_too:
        raise click.UsageError("`--correct-only` leaves wrong answers out, `--wrong-too` takes them: give one")
    request = ExportRequest(
        profile, wanted, not every, rejected, new_only, None, parse_split(split, group, seed) if split else None,
        dedupe, cap, seed, correct_only or (False if wrong_too else None), call_ids, split_calls, template, mask_bad,
        with_system,
    )  # fmt: skip
    refuse_ignored(request, options)
    _remember(workspace, hold_out, release)
    try:
        with progress_bar("exporting") as bar:
            report = export(workspace, request, Progress(bar) if bar else None, dry_run=dry_run)
    except NothingToExportError as error:
        if not as_json:
            raise
        print_json({**as_document(error.report), "dry_run": dry_run, "error": str(error)})
        say(f"sensorloom: {error}", err=True)
        return 1
    if as_json:
        print_json({**as_document(report), "dry_run": dry_run})
    else:
        for line in summary_lines(workspace, report):
            say(line)
        if dry_run:
            say("nothing was written (--dry-run)")
    return 0


_STATUS_TAKES = {"status", "wanted", "profile", "as_json", "workspace", "threads", "exports", "data"}
"""The options that `--status` heeds."""


def _chosen_options() -> dict[str, str]:
    """The options that somebody wrote, by the names of their parameters, each with its flag."""
    context = click.get_current_context()
    written = click.core.ParameterSource.COMMANDLINE
    return {
        str(option.name): option.opts[0]
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is written
    }


def _remember(workspace: Workspace, hold_out: tuple[str, ...], release: tuple[str, ...]) -> None:
    if hold_out:
        known = roster(workspace, summaries(workspace))
        for name in hold_out:
            known.check(name)
        splits_file.hold_out(workspace.root, hold_out)
    if release:
        splits_file.release(workspace.root, release)


def _status(workspace: Workspace, wanted: str, profile: str | None, as_json: bool) -> int:
    every = summaries(workspace)
    chosen = select(workspace.threads, every, parse(wanted, workspace))
    states = export_states(workspace, chosen, profile and profile_of(profile).name)
    if as_json:
        print_json(states)
        return 0
    for state, stems in states.items():
        if state == "changed":
            for stem in stems:
                say(f"changed   {stem}")
        say(f"{state:9} {len(stems)}")
    if held_out := splits_file.read_book(workspace.root).held_out:
        say(f"held out  {roster(workspace, every).described(held_out)}")
    return 0


def as_document(report: ExportReport) -> dict[str, Any]:
    """The report as JSON has it."""
    import msgspec

    document = msgspec.to_builtins(report, enc_hook=str)
    return {"path": str(report.path) if report.path else None, **document}


def summary_lines(workspace: Workspace, report: ExportReport) -> list[str]:
    """The report as a person reads it."""
    lines = [f"total     {report.total}", f"exported  {report.exported}"]
    if report.wrong:
        lines.append(f"wrong     {report.wrong} of them answer wrong; --correct-only leaves those out")
    lines += [f"warning   {warning}" for warning in report.warnings]
    lines += [f"skipped   {count} {reason}" for reason, count in report.skipped.items()]
    for refusal in report.refusals[:10]:
        named = refusal.sentence.startswith(f"{refusal.stem}.json")
        lines.append(f"  {refusal.sentence}" if named else f"  {refusal.stem}: {refusal.sentence}")
    if len(report.refusals) > 10:
        lines.append(f"  … and {len(report.refusals) - 10} more; --json names them")
    for example in report.examples:
        mark = {True: "✓", False: "✗", None: "·"}[example.correct]
        lines.append(f"{mark} {example.id}: {one_line(example.question, 60)} → {one_line(example.answer, 40) or '…'}")
    lines += [f"note      {count} {change}" for change, count in report.changes.items()]
    for side, labels in report.balance.items():
        named = ", ".join(f"{label or 'no label'} {count}" for label, count in labels.items())
        lines.append(f"labels    {side + ': ' if side else ''}{named}")
    lines += [f"wrote     {workspace.shown(file.path)} ({file.rows} rows)" for file in report.files]
    lines += [f"beside    {workspace.shown(path)}" for path in report.beside]
    return lines
