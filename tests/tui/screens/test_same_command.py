"""Every act on what is stored has a key and a command, and the page says so."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest

from core.cli.commands import sensorloom
from tests.pictures.keys import PAGE
from tui.keys import THREADS, TURNS
from tui.screens.actions import ACTIONS
from tui.screens.same_command import COMMANDS, COMMANDS_ALONE, KEYS_ALONE, page


def leaves(group: click.Group = sensorloom, before: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by what is written after `sensorloom`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        path = (*before, name)
        if isinstance(command, click.Group):
            yield from leaves(command, path)
        else:
            yield " ".join(path), command


def name_of(written: str) -> str:
    """The command in a line such as `goal propose --keep`."""
    words: list[str] = re.findall(r"^(?:[a-z_]+(?:-[a-z]+)* ?)+", written)[0].split()
    known = {name for name, _ in leaves()}
    return next(" ".join(words[:length]) for length in (2, 1) if " ".join(words[:length]) in known)


def test_the_page_is_what_the_tables_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "`make keys` makes it anew"


def test_every_action_on_threads_and_turns_has_a_command_or_a_reason():
    acting = {action.id for action in ACTIONS if action.group in (THREADS, TURNS)}
    named = {*COMMANDS, *KEYS_ALONE}
    assert not acting - named, "say in tui/screens/same_command.py which command does the same, or why none does"
    assert not COMMANDS.keys() & KEYS_ALONE.keys() and named <= {action.id for action in ACTIONS}


def test_every_command_has_a_key_or_a_reason():
    keyed = {name_of(written) for commands in COMMANDS.values() for written in commands}
    every = {name for name, _ in leaves()}
    assert not every - keyed - COMMANDS_ALONE.keys(), "a command without a key: tui/screens/same_command.py"
    assert every >= COMMANDS_ALONE.keys() and not keyed & COMMANDS_ALONE.keys()


@pytest.mark.parametrize("written", sorted({line for lines in COMMANDS.values() for line in lines}))
def test_what_is_written_is_taken(written: str):
    command = dict(leaves())[name_of(written)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", written)) <= options
