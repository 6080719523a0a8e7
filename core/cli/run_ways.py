"""`sensorloom run --per-session`: several ways at each session, of which the right ones stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.cli.commands import print_json, say
from core.cli.run_progress import STOPPED, Shown, run_shown
from core.text import counted
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.model.client import Model
    from core.model.endpoints import ModelChoice
    from core.runs.batch import Job, Ran
    from core.teaching.rejection import SessionWays


def run_ways_shown(
    workspace: Workspace, jobs: Sequence[Job], choice: ModelChoice, options: Mapping[str, Any], as_json: bool
) -> int:
    """Go several ways at each job's session and sort them out. Exits with 0 only when every session was answered right
    at least once."""
    from core.teaching.hinted import strip_hints
    from core.teaching.rejection import keep_right, run_ways

    ways: int = options["per_session"]
    parallel, keep_empty = options["parallel"], options["keep_empty"]

    async def work(model: Model, shown: Shown) -> tuple[list[Ran], str]:
        watched: Any = {"meter": shown.meter, "ended": shown.ended, "watch": shown.watch, "keep_empty": keep_empty}
        ran = await run_ways(workspace, jobs, model, ways=ways, **watched)
        return strip_hints(workspace, ran), await model.name()

    ran, name = run_shown(workspace, choice, len(jobs) * ways, work, parallel)
    stopped = any(result.cancelled for result in ran)
    if stopped or options["keep"] == "all":
        say(f"{counted(len(ran), 'thread')} stay as they are" + (": stopped" if stopped else ""), err=as_json)
        return STOPPED if stopped else 0
    sessions, done = keep_right(workspace, ran, name)
    for problem in done.problems:
        say(f"sensorloom: {problem}", err=True)
    if as_json:
        print_json({"model": name, "per_session": ways, "sessions": [_document(session) for session in sessions]})
    else:
        _tell(sessions)
    answered = sum(bool(session.right) for session in sessions)
    return 0 if answered == len(jobs) and not done.problems else 1


def _document(session: SessionWays) -> dict[str, Any]:
    return {
        "dataset": session.dataset,
        "session": session.session,
        "right": session.rate.right,
        "of": session.rate.of,
        "difficulty": session.rate.difficulty,
        "kept": list(session.right),
        "to_trash": list(session.wrong),
        "pairs": session.pairs,
    }


def _tell(sessions: Sequence[SessionWays]) -> None:
    for session in sessions:
        rate = session.rate
        say(f"{session.session}: {rate.right} of {rate.of} right, {rate.difficulty}; {counted(session.pairs, 'pair')}")
    right = sum(len(session.right) for session in sessions)
    wrong = sum(len(session.wrong) for session in sessions)
    say(f"kept      {counted(right, 'right thread')}; {counted(wrong, 'other')} in the trash, one undo away")
