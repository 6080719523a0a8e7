"""`--workers`: what a command runs, run by several processes of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def workers_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--workers`."""
    about = "Processes that run the threads; as many as there are cores, up to 16, once one is not enough, unless told."
    return click.option("--workers", type=click.IntRange(1, 64), help=about)(function)
