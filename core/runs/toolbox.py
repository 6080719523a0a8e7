"""The tools a workspace offers, and what a stored thread's calls work on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from core.datasets.barred import barred_sessions
from core.datasets.standard import open_dataset
from core.errors import SensorloomError
from core.runs.own_tools import ToolsFile, files_of, own_tools
from core.thread.evidence import Evidence, evidence_of, references_without
from core.thread.form import FULL, TaskForm, form_of
from core.thread.turns import calls_with_results
from core.thread.updates import with_messages
from core.thread.value import Thread, call_arguments, call_name, is_assistant, text_of
from core.workspace import Workspace
from tools.builtin import BUILTIN, LOOKING_UP, RANKING
from tools.registry import SESSION, Tool, ToolContext, call
from tools.session import Dataset
from tools.short import sized

_ARTIFACT = re.compile(r"ts_[0-9A-Za-z]{4,64}")


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools there are, and one sentence for each that could not be had."""

    tools: tuple[Tool, ...]
    problems: tuple[str, ...] = ()


def open_toolbox(workspace: Workspace) -> tuple[Tool, ...]:
    """The tools of this workspace: the built-in ones, then a person's own."""
    return load_toolbox(workspace).tools


def offered_in(tools: Sequence[Tool], evidence: Evidence, form: TaskForm = FULL) -> tuple[Tool, ...]:
    """The tools that a thread of this evidence may call: where it is to be measured nothing ranks the labels, and
    elsewhere there is nothing to look up. Of these the ones that the form of its task names, in its sizes."""
    barred = RANKING if evidence == "measure" else LOOKING_UP
    return in_form([tool for tool in tools if tool.name not in barred], form)


def offered_to(thread: Thread, tools: Sequence[Tool]) -> tuple[Tool, ...]:
    """Of all tools those that a thread may call, as it is shown them."""
    return offered_in(tools, evidence_of(thread), form_of(thread))


def in_form(tools: Sequence[Tool], form: TaskForm) -> tuple[Tool, ...]:
    """The tools that a form names, in its order, with their schemas and results in its sizes."""
    by_name = {tool.name: tool for tool in tools}
    named = [by_name[name] for name in form.tools if name in by_name] if form.tools else tools
    return sized(named, form.schemas, form.results)


def load_toolbox(workspace: Workspace) -> Toolbox:
    """The tools of this workspace with what is wrong with a person's own. Never raises: the rest still works."""
    return toolbox_of(files_of(workspace))


def toolbox_of(files: Iterable[ToolsFile]) -> Toolbox:
    """The built-in tools, those of the files, and those of installed packages. A tool whose name is taken is left out
    and named."""
    by_name: dict[str, tuple[Tool, str]] = {tool.name: (tool, "built in") for tool in BUILTIN}
    problems: list[str] = []
    for own, source, problem in own_tools(files):
        if problem:
            problems.append(problem)
        for tool in own:
            if tool.name not in by_name:
                by_name[tool.name] = (tool, source)
            elif by_name[tool.name][0] is not tool:
                problems.append(f"{source}: the tool `{tool.name}` is left out, {by_name[tool.name][1]} has that name")
    return Toolbox(tuple(tool for tool, _ in by_name.values()), tuple(problems))


def context_for(workspace: Workspace, thread: Thread, tools: Sequence[Tool] | None = None) -> ToolContext:
    """What the thread's next call works on: its dataset and session, and the windows its calls made so far.

    The windows are made again by executing the calls that made them. Artifact ids of threads made elsewhere,
    which are random, are mapped to the ids the same windows have here.

    Raises:
        DatasetError: the dataset is not there or cannot be read.
    """
    offered = open_toolbox(workspace) if tools is None else tools
    context = new_context(workspace, thread)
    makers = {tool.name for tool in offered if tool.makes_artifact}
    for stored_call, stored in stored_calls(thread):
        if call_name(stored_call) in makers:
            outcome = call(offered, context, call_name(stored_call), call_arguments(stored_call))
            learn_alias(context, outcome.artifact_id, stored)
    return context


def tools_at(
    workspace: Workspace, thread: Thread, index: int
) -> tuple[tuple[Tool, ...], ToolContext] | tuple[tuple[Tool, ...], None]:
    """The tools, and what a call in message `index` works on; no context where the session cannot be read."""
    tools = offered_to(thread, open_toolbox(workspace))
    try:
        return tools, context_for(workspace, with_messages(thread, thread.messages[:index]), tools)
    except SensorloomError:
        return tools, None


def new_context(workspace: Workspace, thread: Thread) -> ToolContext:
    """The context at the thread's start. Its references leave out whom they left out when it was begun. Raises
    DatasetError."""
    opened = open_dataset(workspace, thread.dataset)
    barred = barred_sessions(opened, references_without(thread.metadata))
    # a cast, because pyright does not take a cached_property for the property of a protocol
    context = ToolContext(cast("Dataset", opened), thread.session, barred=barred)
    for foreign in _leading_artifacts(thread):
        context.aliases[foreign] = SESSION
    return context


def stored_calls(thread: Thread) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any] | None]]:
    """Every stored call with the message that answers it, in order; None where it is unanswered.

    What answers a call is what `core.thread.turns.results_of` says.
    """
    messages = thread.messages
    for index in range(len(messages)):
        for stored_call, answer in calls_with_results(messages, index):
            yield stored_call, None if answer is None else messages[answer]


def learn_alias(context: ToolContext, ours: str | None, stored: Mapping[str, Any] | None) -> str | None:
    """Note the artifact id by which a stored result calls the window we know as `ours`; returns that id.

    A result that is stale, or was edited by hand, names no window that its call makes now.
    """
    if ours is None or stored is None or stored.get("stale") or stored.get("edited"):
        return None
    theirs = artifact_in(stored.get("content"))
    if theirs and theirs != ours and theirs not in context.artifacts:
        context.aliases[theirs] = ours
    return theirs


def artifact_in(content: Any) -> str | None:
    """The id of the artifact that a result made: its `artifact_id`, at the top or one level down."""
    result = _object(content)
    for level in (result, *(value for value in result.values() if isinstance(value, dict))):
        for key in ("artifact_id", "new_artifact_id", "result_artifact_id", "id"):
            artifact = level.get(key)
            if isinstance(artifact, str) and (key != "id" or _ARTIFACT.fullmatch(artifact)):
                return artifact
    return None


def has_leading_artifact(thread: Thread) -> bool:
    """Whether an object before the first assistant turn names the session's artifact, as threads made elsewhere do."""
    return any(True for _ in _leading_artifacts(thread))


def _leading_artifacts(thread: Thread) -> Iterator[str]:
    """Artifact ids that messages before the first assistant turn give the session."""
    for message in thread.messages:
        if is_assistant(message):
            return
        content = message.get("content")
        described = _object(content if isinstance(content, dict) else text_of(message))
        artifact = described.get("artifact_id")
        if isinstance(artifact, str) and artifact != SESSION:
            yield artifact


_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _object(content: Any) -> dict[str, Any]:
    """An object's strings and objects; of one given as text, its long lists are passed over, not decoded."""
    if isinstance(content, str) and content.lstrip().startswith("{"):
        try:
            parts = _PARTS.decode(content)
            told = {key: part for key, part in parts.items() if bytes(memoryview(part)[:1]) in b'"{'}
            return {key: msgspec.json.decode(part) for key, part in told.items()}
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            pass  # NaN and lone surrogates, which Python's own reader takes
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return {}
    return content if isinstance(content, dict) else {}
