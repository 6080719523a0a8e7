"""Asking a model something beside turns about several threads, one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from core.cli.commands import print_json, say
from core.cli.run_progress import say_meanwhile, with_model
from core.cli.threads import chosen
from core.errors import SensorloomError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.runs.events import Tell
    from core.storage.store import Stored

Ask = Callable[["Workspace", "Stored", "Model", "Tell"], Awaitable[tuple[str, "Stored | None"]]]


def ask_beside_each(
    workspace: Workspace,
    names: Iterable[str],
    wanted: str,
    endpoint_and_model: tuple[str, str],
    ask: Ask,
    as_json: bool,
    facts: Callable[[Stored], dict[str, Any]] = lambda _: {},
) -> int:
    """Call `ask` for each thread and say what came of it. Returns 0 when every thread changed.

    Args:
        workspace: where the threads are.
        names: which; all that the filter selects where none are named.
        wanted: the filter.
        endpoint_and_model: whom to ask; the workspace's own where they are empty.
        ask: gives a sentence, and the thread as it is saved now where it changed.
        as_json: print one document at the end.
        facts: what the document tells of a changed thread besides.
    """
    from core.model.endpoints import choose
    from core.storage.store import read

    stems = chosen(workspace, names, wanted)
    rows: list[dict[str, Any]] = []

    async def each(model: Model) -> None:
        for stem in stems:
            try:
                sentence, changed = await ask(
                    workspace, read(workspace.threads, stem), model, partial(say_meanwhile, stem)
                )
            except SensorloomError as error:
                sentence, changed = str(error), None
            say(sentence if stem in sentence else f"{stem}: {sentence}", err=as_json)
            more = facts(changed) if changed is not None else {}
            rows.append({"id": stem, "changed": changed is not None, "told": sentence, **more})

    with_model(workspace, choose(workspace, *endpoint_and_model), each)
    if as_json:
        print_json({"threads": rows})
    return 0 if all(row["changed"] for row in rows) else 1
