"""`sensorloom sample`: several next turns at one point, of which one is taken."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import json_option, print_json, say, workspace_options
from core.cli.output import in_terminal
from core.cli.run import model_options
from core.cli.run_progress import STOPPED, stoppable
from core.cli.serving_options import serving_in, serving_options
from core.cli.threads import opened
from core.errors import ModelError, UsageError
from core.storage.store import Stored
from core.thread.value import call_arguments, call_name, calls_of, is_assistant, text_of
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.endpoints import ModelChoice
    from core.thread.proposal import Proposal


@click.command("sample")
@click.argument("name", metavar="THREAD")
@click.option("--count", type=click.IntRange(1, 64), default=4, show_default=True, help="How many.")
@click.option(
    "--take", "wanted", type=click.IntRange(0), help="Which becomes the turn, from 1; 0 takes none. Else it is asked."
)
@click.option("--seed", type=click.IntRange(0), help="Seeds the model; every sample has one of its own.")
@serving_options
@model_options
@json_option
@workspace_options
def command(
    workspace: Workspace,
    name: str,
    count: int,
    wanted: int | None,
    seed: int | None,
    endpoint: str,
    model: str,
    as_json: bool,
    **options: Any,
) -> int:
    """Propose several next turns of a thread. One is taken; the others are kept among its alternatives, for
    preference data."""
    from core.model.endpoints import choose

    if wanted is None and (as_json or not in_terminal(sys.stdin)):
        raise UsageError("say which sample becomes the turn with --take, 0 for none")
    if wanted is not None and wanted > count:
        raise UsageError(f"there are {count} samples, no number {wanted}")
    stored = opened(workspace, name)
    choice = choose(workspace, endpoint, model, seed=seed, **serving_in(options))
    samples, errors = stoppable(_proposed(workspace, stored, choice, count, seed))
    if samples is None:
        say("sensorloom: stopped; nothing was taken", err=True)
        return STOPPED
    for error in errors:
        say(f"sensorloom: {error}", err=True)
    if not samples:
        return 1
    if not as_json:
        for number, sample in enumerate(samples, 1):
            say(f"── {number}\n{_words(sample)}")
    wanted = _asked(len(samples)) if wanted is None else wanted
    if wanted > len(samples):
        raise ModelError(f"only {len(samples)} of {count} samples came, no number {wanted}; nothing was changed")
    changed = _stored_samples(workspace, stored, samples, wanted)
    if as_json:
        print_json(
            {"id": changed.stem, "taken": wanted or None, "samples": [list(sample.messages) for sample in samples]}
        )
    else:
        others = len(samples) - bool(wanted)
        say(f"{changed.stem}: took {wanted or 'none'}" + (f", {others} kept as alternatives" if others else ""))
    return 1 if errors else 0


def _asked(count: int) -> int:
    return int(click.prompt("take which (0 for none)", type=click.IntRange(0, count), err=True))


async def _proposed(
    workspace: Workspace, stored: Stored, choice: ModelChoice, count: int, seed: int | None
) -> tuple[list[Proposal] | None, list[str]]:
    """The whole proposals in their order, and why others failed; None when it was stopped."""
    from core.curate.prompts import ahead_of
    from core.datasets.check import look_at_session
    from core.model.refusals import Dropped
    from core.runs.events import TurnEnded, TurnProposed
    from core.runs.remembered import open_model
    from core.runs.toolbox import context_for, offered_to, open_toolbox
    from core.runs.turn_loop import propose_many

    tools = offered_to(stored.thread, await asyncio.to_thread(open_toolbox, workspace))
    await asyncio.to_thread(look_at_session, workspace, stored.thread.dataset, stored.thread.session)
    context = await asyncio.to_thread(context_for, workspace, stored.thread, tools)
    ahead = await asyncio.to_thread(ahead_of, workspace, stored.thread)
    proposals: dict[str, Proposal] = {}
    errors: dict[str, None] = {}
    stopped = False
    model = open_model(workspace, choice)
    try:
        events: Any = propose_many(
            stored.thread, stored.stem, model, tools, context, count=count, run="sample", seed=seed, ahead=ahead
        )
        async for event in events:
            if isinstance(event, TurnProposed):
                proposals[event.run] = event.proposal
            elif isinstance(event, Dropped):
                say(f"note: {event.sentence}", err=True)
            elif isinstance(event, TurnEnded) and event.cancelled:
                stopped = True
            elif isinstance(event, TurnEnded) and event.error:
                errors[event.error] = None
    finally:
        await model.aclose()
    in_order = sorted(proposals, key=lambda name: int(name.rpartition("/")[2]))
    return None if stopped else [proposals[name] for name in in_order], list(errors)


def _stored_samples(workspace: Workspace, stored: Stored, samples: list[Proposal], wanted: int) -> Stored:
    """The thread with the sample that is wanted taken in and the others among its alternatives; with none wanted, all
    of them."""
    from core import curate
    from core.runs.toolbox import offered_to, open_toolbox

    if wanted:
        others = [sample for number, sample in enumerate(samples, 1) if number != wanted]
        schemas = [sample.schema for sample in offered_to(stored.thread, open_toolbox(workspace))]
        return curate.take_sample(workspace, stored, samples[wanted - 1], others, schemas)
    for sample in samples:
        stored = curate.set_aside(workspace, stored, sample, "sampled")
    return stored


def _words(proposal: Proposal) -> str:
    lines: list[str] = []
    for message in proposal.messages:
        mark = "" if is_assistant(message) else "◂ "
        lines += [
            f"{mark}{text_of(message)}",
            *(f"▸ {call_name(call)} {call_arguments(call)}" for call in calls_of(message)),
        ]
    return "\n".join(lines)
