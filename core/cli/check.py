"""`sensorloom check`: look for what is wrong in threads."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import click

from core.cli.commands import json_option, print_json, progress_bar, say, workspace_options
from core.filters.language import parse, select
from core.lint import CHECKS
from core.lint.duplicates import ABOUT, NAME
from core.lint.finding import UNREADABLE
from core.lint.folder import Checked, check_folder
from core.listing.index import summaries
from core.text import one_line
from core.workspace import Workspace

_KINDS = {UNREADABLE: "a file that is no thread", **{one.name: one.about for one in CHECKS}, NAME: ABOUT}
_EPILOG = "\b\nChecks:\n" + "\n".join(f"{name:17} {about}" for name, about in _KINDS.items())


@click.command("check", epilog=_EPILOG)
@click.argument("thread_ids", nargs=-1, metavar="[THREAD]...")
@click.option("--filter", "wanted", default="", metavar="TEXT", help="Only threads that this filter selects.")
@click.option("--only", multiple=True, type=click.Choice(list(_KINDS)), metavar="CHECK", help="Only this; repeatable.")
@click.option("--fix", is_flag=True, help="Put right what needs no decision; every fix can be undone.")
@json_option
@workspace_options
def command(
    workspace: Workspace, thread_ids: tuple[str, ...], wanted: str, only: tuple[str, ...], fix: bool, as_json: bool
) -> int:
    """Look for what is wrong in threads. Exits with 1 when something is left to put right."""
    listing, chosen_by = summaries(workspace), parse(wanted, workspace)
    if thread_ids:
        there = {one.stem for one in listing}
        if missing := [name for name in thread_ids if name.removesuffix(".json") not in there]:
            raise click.UsageError(f"there is no thread {missing[0]} in {workspace.threads}")
        chosen = {name.removesuffix(".json") for name in thread_ids}
        listing = [one for one in listing if one.stem in chosen]
    with progress_bar("checking") as bar:
        selected = select(workspace.threads, listing, chosen_by)
        checked = check_folder(workspace, listing, selected, fix=fix, progress=bar or (lambda _done, _total: None))
        found = [_limited(one, only) for one in checked]
    wrong = [one for one in found if one.findings or one.fixed or one.problem]
    if as_json:
        print_json(_document(found, wrong))
    else:
        _print(found, wrong)
    return 1 if any(one.findings or one.problem for one in found) else 0


def _limited(one: Checked, only: tuple[str, ...]) -> Checked:
    if not only:
        return one
    findings = tuple(finding for finding in one.findings if finding.check in only)
    return Checked(one.stem, findings, tuple(finding for finding in one.fixed if finding.check in only), one.problem)


def _document(found: list[Checked], wrong: list[Checked]) -> dict[str, object]:
    import msgspec

    return {
        "checked": len(found),
        "with_findings": sum(bool(one.findings) for one in found),
        "counts": dict(Counter(finding.check for one in wrong for finding in one.findings).most_common()),
        "fixed": sum(len(one.fixed) for one in wrong),
        "threads": msgspec.to_builtins([_numbered(one) for one in wrong]),
    }


def _numbered(checked: Checked) -> Checked:
    """With messages counted from 1, as `show` and every other command counts them."""
    findings, fixed = (
        tuple(found if found.message is None else replace(found, message=found.message + 1) for found in some)
        for some in (checked.findings, checked.fixed)
    )
    return replace(checked, findings=findings, fixed=fixed)


def _print(found: list[Checked], wrong: list[Checked]) -> None:
    for one in wrong:
        say(one.stem)
        for finding in one.fixed:
            say(f"  fixed  {finding.check}: {one_line(finding.sentence)}")
        for finding in one.findings:
            place = "" if finding.message is None else f" message {finding.message + 1}:"
            hint = " (--fix does it)" if finding.fixable else ""
            say(f"  {finding.check}:{place} {one_line(finding.sentence)}; {finding.fix}{hint}")
        if one.problem:
            say(f"  not saved: {one.problem}")
    bad = sum(bool(one.findings) for one in found)
    say(f"{len(found)} checked, {bad} with something wrong" + (f", {_fixed(wrong)} fixed" if _fixed(wrong) else ""))


def _fixed(wrong: list[Checked]) -> int:
    return sum(len(one.fixed) for one in wrong)
