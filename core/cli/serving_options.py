"""The options of how a model is asked, the same for every command that asks one: `core.model.options` has the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from core.errors import UsageError
from core.model.options import FLAGS, read_option

FORM_HELP = "What the model is shown: `full`, `compact`, or a form of [task]; as the settings have it unless told."

PROMPTS = {
    "system": ("--system", "FILE", "The system prompt of new threads: a file, `usual` or `none`."),
    "few_shot": ("--few-shot", "N|ID,…", "Show so many accepted threads before each new one, or those named."),
    "tools": ("--tools", "NAMES", "The tools that new threads offer, with commas between."),
}
"""The options of what new threads are shown, beside `--form`."""


def form_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--form` and the options that change a part of it."""
    for name, (flag, stands_for, about) in reversed(PROMPTS.items()):
        function = click.option(flag, name, metavar=stands_for, default="", help=about)(function)
    return click.option("--form", default="", help=FORM_HELP)(function)


def question_prompt_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--question-prompt`, where questions are proposed."""
    about = "What the model is told that proposes their questions: a file, `usual` or `none`."
    return click.option("--question-prompt", metavar="FILE", default="", help=about)(function)


SEVERAL = ("stop", "headers")


def serving_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all of them; it receives each under the option's name."""
    for name, (flag, stands_for, about) in reversed(FLAGS.items()):
        function = click.option(
            flag, name, metavar=stands_for, help=about, multiple=name in SEVERAL, callback=_read(name)
        )(function)
    return function


def _read(name: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def read(_context: click.Context, _parameter: click.Parameter, typed: Any) -> Any:
        from core.model.headers import refuse_spelled_out

        if not typed:
            return None
        try:
            if name == "stop":
                return tuple(typed)
            value = _headers(typed) if name == "headers" else read_option(name, typed)
            if name == "extra_body":
                refuse_spelled_out(value)
            return value
        except UsageError as error:
            raise click.BadParameter(str(error).partition(": ")[2] or str(error)) from None

    return read


def _headers(typed: tuple[str, ...]) -> dict[str, str]:
    pairs = [line.partition(":") for line in typed]
    if wrong := next((name for name, colon, _ in pairs if not (colon and name.strip())), None):
        raise UsageError(f"header: it is written NAME:VALUE, which {wrong[:40]!r} is not")
    return {name.strip(): value.strip() for name, _, value in pairs}


def serving_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """Those that were told."""
    return {name: options[name] for name in FLAGS if options.get(name) is not None}


def parallel_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--parallel`; the endpoint's `concurrency` holds where it is not told."""
    about = "Threads run at once at most; as the endpoint's `concurrency`, else as many as the server takes quickly."
    return click.option("--parallel", type=click.IntRange(1, 4096), help=about)(function)
