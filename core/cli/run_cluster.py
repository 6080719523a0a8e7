"""`--ray`: what a command runs, run on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import say
from core.cli.run_progress import Shown, stoppable
from core.cli.spread import joining
from core.errors import UsageError
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.cluster.run import OnCluster
    from core.model.endpoints import Endpoint, ModelChoice
    from core.runs.job import After, Job, Ran
    from core.runs.tally import Tally

RAY_OPTIONS = ("ray", "send_data", "data_from")


_ABOUT = "Run on a cluster of Ray: `local`, `auto` on one of its nodes, or HOST:PORT."
ray_option = click.option("--ray", metavar="ADDRESS", default="", help=_ABOUT)
"""Of a command that needs no dataset."""


def ray_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--ray`, `--send-data` and `--data-from`."""
    sending = "With --ray: send datasets to the nodes, where they see the folder too."
    reading = "With --ray: nodes read the dataset there, s3://… or another URL of a folder or archive."
    function = click.option("--data-from", metavar="URL", default="", help=reading)(function)
    return ray_option(click.option("--send-data", is_flag=True, help=sending)(function))


def delivery_in(options: Mapping[str, Any]) -> dict[str, Any]:
    """How datasets come to nodes, as the options of `ray_options` say it: `shared` and `data_from` of a kit. Raises
    UsageError."""
    from core.datasets.remote import is_url

    url, ways = options["data_from"], [flag for flag in ("send_data", "data_from") if options[flag]]
    if ways and not options["ray"]:
        raise UsageError(f"--{ways[0].replace('_', '-')} goes with --ray")
    if len(ways) > 1:
        raise UsageError("--send-data and --data-from are two ways to a node: leave one of them out")
    if url and not is_url(url):
        raise UsageError(f"--data-from {url} is no URL, such as s3://bucket/datasets/NAME")
    return {"shared": not ways, "data_from": url}


@contextmanager
def cluster_in(options: Mapping[str, Any], endpoints: Sequence[Endpoint]) -> Generator[OnCluster | None]:
    """The cluster that the options name, as long as this is open; None for a run on this machine.

    Args:
        options: a command's, with those of `ray_options` and `--parallel`.
        endpoints: who will be asked.

    Raises:
        UsageError: it cannot be joined, or an endpoint can only be asked from a cluster.
    """
    from core.cluster.addresses import is_for_a_cluster
    from core.model.endpoints import without_secrets

    come = delivery_in(options)
    if not options["ray"]:
        if wrong := next(filter(is_for_a_cluster, endpoints), None):
            raise UsageError(
                f"{without_secrets(wrong.base_url)} is an address for the workers of a cluster: give --ray too"
            )
        yield None
        return
    if options.get("workers"):
        raise UsageError("--workers are processes of this machine, and --ray has its own: leave --workers out")
    from core.cluster.run import OnCluster

    with joining(options["ray"]) as cluster:
        yield OnCluster(cluster, options["parallel"], **come)


def run_shown_on(
    on: OnCluster,
    workspace: Workspace,
    choice: ModelChoice,
    jobs: Sequence[Job],
    batch: str = "",
    done: int = 0,
    *,
    ended: Callable[[Ran], object] = lambda _: None,
    after: After | None = None,
) -> tuple[Tally, bool]:
    """Run the jobs on a cluster, and say on stderr how each went and how far it is.

    Args:
        on: which cluster, and how.
        workspace: where the threads are.
        choice: who makes the turns.
        jobs: what to run.
        batch: the name of their batch, where they are one.
        done: how many threads of it were over before.
        ended: told of each thread when it is over, beside the person.
        after: looks after each before that.

    Returns:
        What came of them, and whether they were stopped.
    """
    from core.cluster.meter import ClusterMeter
    from core.cluster.run import run_on_cluster
    from core.runs.batch_run import run_batch

    async def work() -> tuple[Tally, bool]:
        async with Shown(meter := ClusterMeter(len(jobs) + done, done)) as shown:

            def over(ran: Ran) -> None:
                ended(ran)
                shown.ended(ran)

            async def make(jobs: Sequence[Job], ended: Callable[[Ran], None]) -> Tally:
                return await run_on_cluster(
                    on, workspace, jobs, choice, meter=meter, ended=ended, tell=shown.note, after=after
                )

            tally = await run_batch(workspace, batch, jobs, meter, make, over)
            return tally, meter.stopped

    where = f"on {counted(on.cluster.room(), 'core')} of the cluster"
    say(f"{counted(len(jobs), 'thread')} with {choice.endpoint.name}, {where}", err=True)
    return stoppable(work())


def asked_shown_on(on: OnCluster, workspace: Workspace, choice: ModelChoice, jobs: Sequence[Job]) -> list[Job]:
    """The jobs with their questions, for which the model is asked on a cluster while it is said on stderr how far that
    is; otherwise as `core.cluster.run.asked_on_cluster`."""
    from core.cluster.meter import ClusterMeter
    from core.cluster.run import asked_on_cluster

    async def work() -> list[Job]:
        async with Shown(meter := ClusterMeter(len(jobs))) as shown:
            return await asked_on_cluster(on, workspace, jobs, choice, tell=shown.note, meter=meter)

    say(f"asking {choice.endpoint.name} for {counted(len(jobs), 'question')}, by workers of the cluster", err=True)
    return stoppable(work())
