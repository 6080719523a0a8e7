"""`sensorloom check`: look for what is wrong in threads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.cli.run_cluster import ray_option
from core.cli.run_progress import STOPPED
from core.cli.spread import spread_on
from core.filters.language import parse, select
from core.lint import CHECKS
from core.lint.duplicates import ABOUT, NAME
from core.lint.finding import UNREADABLE
from core.lint.folder import Checked, check_folder
from core.listing.index import summaries
from core.text import counted, one_line
from core.workspace import Workspace

_KINDS = {UNREADABLE: "a file that is no thread", **{check.name: check.about for check in CHECKS}, NAME: ABOUT}
_EPILOG = "\b\nChecks:\n" + "\n".join(f"{name:17} {about}" for name, about in _KINDS.items())


@click.command("check", epilog=_EPILOG)
@click.argument("thread_ids", nargs=-1, metavar="[THREAD]...")
@click.option("--filter", "wanted", default="", metavar="TEXT", help="Only threads that this filter selects.")
@click.option("--only", multiple=True, type=click.Choice(list(_KINDS)), metavar="CHECK", help="Only this; repeatable.")
@click.option("--fix", is_flag=True, help="Put right what needs no decision; every fix can be undone.")
@ray_option
@json_option
@workspace_options
def command(
    workspace: Workspace,
    thread_ids: tuple[str, ...],
    wanted: str,
    only: tuple[str, ...],
    fix: bool,
    ray: str,
    as_json: bool,
) -> int:
    """Look for what is wrong in threads. Exits with 1 when something is left to put right.

    After ctrl-C it tells what was found by then, and exits with 130; what was looked at is not looked at again.
    """
    listing, chosen_by = summaries(workspace), parse(wanted, workspace)
    if thread_ids:
        there = {thread.stem for thread in listing}
        if missing := [name for name in thread_ids if name.removesuffix(".json") not in there]:
            raise click.UsageError(f"there is no thread {missing[0]} in {workspace.threads}")
        chosen = {name.removesuffix(".json") for name in thread_ids}
        listing = [thread for thread in listing if thread.stem in chosen]
    left: list[int] = []
    with (
        spread_on(ray, workspace, size_of=lambda file: len(file.data)) as (spread, cancelled),
        progress_bar("checking") as bar,
    ):
        # where it is stopped, a filter, which may ask the checks, selects nothing
        selected = select(workspace.threads, listing, chosen_by, cancelled) if wanted.strip() else listing
        checked = check_folder(
            workspace,
            listing,
            selected,
            fix=fix,
            progress=bar or (lambda _done, _total: None),
            cancelled=cancelled,
            stopped=left.append,
            spread=spread,
        )
        threads = [_limited(thread, only) for thread in checked]
        stopped = cancelled()
    wrong = [thread for thread in threads if thread.findings or thread.fixed or thread.problem]
    if as_json:
        print_json(_document(threads, wrong) | ({"stopped": True, "not_looked_at": sum(left)} if stopped else {}))
    else:
        _print(threads, wrong)
    if stopped:
        what = (
            f"{counted(sum(left), 'thread')} not looked at; the next check goes on" if left else "nothing more is fixed"
        )
        say(f"sensorloom: stopped: {what}", err=True)
        return STOPPED
    return 1 if any(thread.findings or thread.problem for thread in threads) else 0


def _limited(thread: Checked, only: tuple[str, ...]) -> Checked:
    if not only:
        return thread
    findings = tuple(finding for finding in thread.findings if finding.check in only)
    return Checked(
        thread.stem, findings, tuple(finding for finding in thread.fixed if finding.check in only), thread.problem
    )


def _document(checked: list[Checked], wrong: list[Checked]) -> dict[str, object]:
    import msgspec

    return {
        "checked": len(checked),
        "with_findings": sum(bool(thread.findings) for thread in checked),
        "counts": dict(Counter(finding.check for thread in wrong for finding in thread.findings).most_common()),
        "fixed": sum(len(thread.fixed) for thread in wrong),
        "threads": msgspec.to_builtins([_numbered(thread) for thread in wrong]),
    }


def _numbered(checked: Checked) -> Checked:
    """With messages counted from 1, as `show` and every other command counts them."""
    findings, fixed = (
        tuple(finding if finding.message is None else replace(finding, message=finding.message + 1) for finding in some)
        for some in (checked.findings, checked.fixed)
    )
    return replace(checked, findings=findings, fixed=fixed)


def _print(checked: list[Checked], wrong: list[Checked]) -> None:
    for thread in wrong:
        say(thread.stem)
        for finding in thread.fixed:
            say(f"  fixed  {finding.check}: {one_line(finding.sentence)}")
        for finding in thread.findings:
            where = "" if finding.message is None else f" message {finding.message + 1}:"
            hint = " (--fix does it)" if finding.fixable else ""
            say(f"  {finding.check}:{where} {one_line(finding.sentence)}; {finding.fix}{hint}")
        if thread.problem:
            say(f"  not saved: {thread.problem}")
    bad = sum(bool(thread.findings) for thread in checked)
    say(f"{len(checked)} checked, {bad} with something wrong" + (f", {_fixed(wrong)} fixed" if _fixed(wrong) else ""))


def _fixed(wrong: list[Checked]) -> int:
    return sum(len(thread.fixed) for thread in wrong)
