"""Where the work of a command on many threads is done: in processes of this machine, or on a cluster with `--ray`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import say
from core.cli.output import in_terminal
from core.cli.stopping import stopped_by_signals
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cluster.joining import RayCluster
    from core.processes.items import Spread


@contextmanager
def spread_on(address: str, workspace: Workspace, **needs: Any) -> Generator[tuple[Spread | None, Callable[[], bool]]]:
    """Who does the items of a command's work, for as long as this is open, and whether it was asked to stop.

    Args:
        address: of a cluster; empty for processes of this machine.
        workspace: the command's.
        needs: what the work needs on a cluster: fields of `core.cluster.blocks.Blocks`.

    Raises:
        UsageError: the cluster cannot be joined.
    """
    if not address:
        with stopped_by_signals() as stop:
            yield None, stop.is_set
        return
    from core.cluster.blocks import Blocks

    with joining(address) as cluster, stopped_by_signals() as stop:
        say(f"on {counted(cluster.room(), 'core')} of the cluster", err=True)
        yield Blocks(cluster, workspace, _note, cancelled=stop.is_set, **needs), stop.is_set


@contextmanager
def joining(address: str) -> Generator[RayCluster]:
    """A cluster, for as long as this is open; that it is being joined is said, since it can take half a minute.

    Raises:
        UsageError: it cannot be joined.
    """
    from core.cluster.joining import LOCAL, joined

    where = "starting Ray on this machine" if address == LOCAL else f"joining the cluster at {address}"
    say(f"{where} …", err=True)
    with joined(address) as cluster:
        yield cluster


def _note(sentence: str) -> None:
    """A line on stderr, in the place of a bar's that is drawn anew."""
    if in_terminal(sys.stderr):
        click.echo(f"\r{' ' * (shutil.get_terminal_size().columns - 1)}\r", err=True, nl=False)
    say(f"note: {sentence}", err=True)
