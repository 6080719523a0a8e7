"""`sensorloom filters`: the fields of a filter, and the filters that are saved."""

from __future__ import annotations

from dataclasses import asdict

import click

from core.cli.commands import GroupWithDefault, json_option, print_json, say, workspace_options
from core.errors import UsageError
from core.workspace import Workspace


@click.group("filters", cls=GroupWithDefault, default="list")
def command() -> None:
    """The fields of a filter, and the filters that are saved. Alone it lists them, as `list` does."""


@command.command("list")
@click.option("--page", is_flag=True, help="The same as a page in Markdown.")
@json_option
@workspace_options
def list_command(workspace: Workspace, page: bool, as_json: bool) -> None:
    """List every field of a filter with an example, and the filters that are saved.

    They select threads after --filter in any command, and in the list's filter line.
    """
    from core.filters import reference
    from core.filters.saved import saved_filters

    if page:
        click.echo(reference.page(), nl=False)
        return
    saved = saved_filters(workspace)
    parts = (("joining", reference.GRAMMAR), ("fields", reference.fields()), ("of one call", reference.call_fields()))
    if as_json:
        told = {heading: [entry._asdict() for entry in entries] for heading, entries in parts}
        print_json({**told, "saved": [asdict(each) for each in saved]})
        return
    widths = [max(len(entry[at]) for _, entries in parts for entry in entries) for at in (0, 1)]
    for heading, entries in parts:
        say(heading)
        for entry in entries:
            say(f"  {entry.name.ljust(widths[0])}  {entry.example.ljust(widths[1])}  {entry.about}")
    say("saved")
    for each in saved:
        say(f"  {(each.name or '-').ljust(widths[0])}  {each.text}")
    if not saved:
        say("  none; `sensorloom filters save NAME TERMS` saves one")


@command.command("save", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("name")
@click.argument("terms", nargs=-1, required=True)
@workspace_options
def save_command(workspace: Workspace, name: str, terms: tuple[str, ...]) -> None:
    """Save a filter under a name. One that had the name is kept without it."""
    from core.filters.language import parse
    from core.filters.saved import keep_filter

    text = " ".join(terms).strip()
    parse(text, workspace)
    if not name.strip() or not text:
        raise UsageError("a saved filter needs a name and terms, as `sensorloom filters save hard correct:false`")
    keep_filter(workspace, text, name.strip())
    say(f"saved as {name.strip()}: {text}")


@command.command("forget")
@click.argument("name")
@workspace_options
def forget_command(workspace: Workspace, name: str) -> None:
    """Forget a saved filter, by its name or its text."""
    from core.filters.saved import filter_named, forget_filter, saved_filters

    saved = filter_named(workspace, name) or next((s for s in saved_filters(workspace) if s.text == name), None)
    if saved is None:
        raise UsageError(f"no saved filter is called {name!r}; `sensorloom filters` lists them")
    forget_filter(workspace, saved.text)
    say(f"forgotten: {saved.text}")
