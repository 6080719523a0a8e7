"""Making a plain typed function into a tool that a model can call.

`@tool` derives the OpenAI schema from the signature and the docstring. `call` runs a call exactly as the
model wrote it and never raises: whatever goes wrong becomes an error result that says what would have
been right, so that the model can mend it.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from tools.session import Dataset, Window

SESSION = "session"
"""The artifact id of the thread's own session."""

MAX_RESULT_BYTES = 1500
"""A result longer than this costs a model more attention than it is worth; see `tools.results.fitting`."""

MAX_OWN_RESULT = 20_000
"""Characters that the result of a person's own tool may have: every later turn sends it to the model again."""

_LOCAL_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?[/\\](?:[^\s'\":,;()/\\]+[/\\])+(?P<name>[^\s'\":,;()/\\]*)")
"""An absolute path in a reason: only the file's own name is told, for the message is stored and passed on."""

_MAX_NAMES_BYTES = 1000
_MAX_WORD = 80


class ToolError(Exception):
    """A call that cannot be carried out as asked. The message tells the model what would be right.

    `hints` become further keys of the error result, such as `{"available": [...]}`.
    """

    def __init__(self, message: str, **hints: Any) -> None:
        super().__init__(message)
        self.hints = hints


@dataclass(slots=True)
class ToolContext:
    """What one thread's calls work on: its session, its dataset, and the windows made so far."""

    dataset: Dataset
    session: str
    artifacts: dict[str, Window] = field(default_factory=dict[str, Window])
    aliases: dict[str, str] = field(default_factory=dict[str, str])
    """Artifact ids of threads made elsewhere, mapped to ours."""
    barred: frozenset[str] = frozenset()
    """Sessions of the dataset that no answer may rest on, because they are kept out of training."""

    def window(self, artifact_id: str = SESSION) -> Window:
        """The window behind an artifact id. Raises ToolError naming the ids there are."""
        artifact_id = self.aliases.get(artifact_id, artifact_id)
        if artifact_id == SESSION and SESSION not in self.artifacts:
            try:
                self.artifacts[SESSION] = self.dataset.load(self.session)
            except Exception as error:  # why it cannot be read is for a person: it may name local files
                raise ToolError("the samples of this session cannot be read, so nothing can be measured") from error
        window = self.artifacts.get(artifact_id)
        if window is None:
            known = list(dict.fromkeys([SESSION, *self.artifacts]))
            raise ToolError(
                f"there is no artifact {artifact_id[:_MAX_WORD]!r}",
                **nearest(artifact_id, known, "available_artifacts"),
            )
        return window

    def keep(self, window: Window) -> str:
        """Remember a derived window and return its id, which is a hash of what it holds."""
        artifact_id = content_id(window)
        self.artifacts[artifact_id] = window
        return artifact_id


def content_id(window: Window) -> str:
    """`ts_` and 12 hex digits of the SHA-256 over channel names, times and values."""
    digest = hashlib.sha256("\0".join(window.names).encode(errors="surrogatepass"))
    digest.update(np.ascontiguousarray(window.time_sec, dtype="<f8").tobytes())
    digest.update(np.ascontiguousarray(window.values, dtype="<f8").tobytes())
    return f"ts_{digest.hexdigest()[:12]}"


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments."""
    run: Callable[..., dict[str, Any]]
    arguments: type[BaseModel]
    makes_artifact: bool = False
    """Whether its result carries the id of a new window, so that a stored thread's windows can be made again."""

    @property
    def schema(self) -> dict[str, Any]:
        """The tool in the OpenAI `tools` form."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": dict(self.parameters),
            },
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: the result as a JSON string, as the tool message stores it."""

    content: str
    failed: bool = False
    artifact_id: str | None = None


def tool(function: Callable[..., dict[str, Any]] | None = None, *, makes_artifact: bool = False) -> Any:
    """Make a function whose first parameter is a `ToolContext` into a `Tool`.

    The docstring up to `Args:` is the description; a line `name: text` under `Args:` describes a parameter.
    """

    def make(wrapped: Callable[..., dict[str, Any]]) -> Tool:
        hints = get_type_hints(wrapped, include_extras=True)
        about, described = _read_docstring(inspect.getdoc(wrapped) or "")
        fields: dict[str, Any] = {}
        parameters = list(inspect.signature(wrapped).parameters.items())
        if not parameters:
            raise TypeError(f"the tool {wrapped.__name__} takes nothing; its first parameter must be the ToolContext")
        for name, parameter in parameters[1:]:
            if name not in hints:
                raise TypeError(f"parameter {name} of the tool {wrapped.__name__} has no type; write `{name}: str`")
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], FieldInfo(default=default, description=described.get(name)))
        model = create_model(wrapped.__name__, __config__=ConfigDict(extra="forbid", strict=True), **fields)
        return Tool(wrapped.__name__, about, _plain(model.model_json_schema()), wrapped, model, makes_artifact)

    return make if function is None else make(function)


def call(tools: Sequence[Tool], context: ToolContext, name: str, arguments: str) -> Outcome:
    """Carry out a call as a model wrote it: a tool's name and a JSON string. Never raises."""
    try:
        chosen = next((candidate for candidate in tools if candidate.name == name), None)
        if chosen is None:
            raise ToolError(
                f"there is no tool {name[:_MAX_WORD]!r}",
                **nearest(name, [tool.name for tool in tools], "available_tools"),
            )
        result: Any = chosen.run(context, **_checked(chosen, arguments))
        if not isinstance(result, dict):
            raise ToolError(f"{name} gave no object but a {type(result).__name__}: a tool returns a dict")
        artifact_id = result.get("artifact_id") if chosen.makes_artifact else None
        content = as_json(result)
        if len(content) > MAX_OWN_RESULT:
            raise ToolError(
                f"{name} gave {len(content)} characters; a result may have {MAX_OWN_RESULT}: give a summary"
            )
        return Outcome(content, artifact_id=str(artifact_id) if artifact_id else None)
    except ToolError as error:
        return Outcome(as_json({"error": str(error), **error.hints}), failed=True)
    except (Exception, SystemExit) as error:
        reason = _LOCAL_PATH.sub(r"\g<name>", " ".join(f"{type(error).__name__}: {error}".split()))[:300]
        return Outcome(as_json({"error": f"{name[:_MAX_WORD]} failed: {reason}"}), failed=True)


def as_json(result: Mapping[str, Any]) -> str:
    """A result as the JSON string that a tool message holds: one line, NaN as null."""
    return json.dumps(_jsonable(result), ensure_ascii=False, allow_nan=False)


def nearest(word: str, words: Iterable[str], key: str) -> dict[str, Any]:
    """Hints for a wrong name: the one or two that are closest, and the right ones, as many as a result has room for."""
    known = list(words)
    lowered = {name.casefold(): name for name in known}
    close = [lowered[name] for name in difflib.get_close_matches(word.casefold()[:200], lowered, 2, 0.5)]
    shown: list[str] = []
    room = _MAX_NAMES_BYTES
    for name in known:
        room -= len(name.encode(errors="replace")) + 4
        if room < 0:
            break
        shown.append(name)
    left = {f"{key}_not_shown": len(known) - len(shown)} if len(shown) < len(known) else {}
    return ({"did_you_mean": close} if close else {}) | {key: shown} | left


def _checked(chosen: Tool, arguments: str) -> dict[str, Any]:
    """The arguments as the tool's function takes them. Raises ToolError saying what would be right."""
    try:
        values = json.loads(arguments.strip() or "{}", parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ToolError(f"the arguments are not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ToolError("the arguments are nested too deeply") from error
    known = list(chosen.arguments.model_fields)
    if not isinstance(values, dict):
        raise ToolError("the arguments must be a JSON object", parameters=known)
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ToolError(
            f"{chosen.name} has no parameter {unknown[0][:_MAX_WORD]!r}", **nearest(unknown[0], known, "parameters")
        )
    try:
        model = chosen.arguments.model_validate_json(json.dumps(_stated(chosen, values)))
    except ValidationError as error:
        problems = [_problem(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()[:3]]
        raise ToolError(f"wrong arguments for {chosen.name}: {'; '.join(problems)}", parameters=known) from error
    return {name: getattr(model, name) for name in known}


def _stated(chosen: Tool, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as JSON Schema reads them, so that a call runs exactly when it fits the schema that was offered:
    `3.0` is a whole number, and null for a parameter that may be left out is one left out."""
    properties, required = chosen.parameters["properties"], chosen.parameters.get("required", ())
    return {
        name: _whole(value, properties[name]) for name, value in values.items() if value is not None or name in required
    }


def _whole(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_whole(item, schema.get("items") or {}) for item in value]
    is_whole = schema.get("type") == "integer" and isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


def _no_number(text: str) -> Any:
    raise ToolError(f"{text} is no number that a tool can use; leave the argument out or give a finite one")


def _finite(text: str) -> float:
    number = float(text)
    return number if np.isfinite(number) else _no_number(text[:_MAX_WORD])


def _problem(path: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(str(part) for part in path)
    if kind == "missing":
        return f"`{name}` is missing"
    if kind == "list_type":
        return f'`{name}` must be a list such as ["…", "…"]'
    return f"`{name}`: {message[0].lower() + message[1:]}"


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    about, _, arguments = text.partition("\nArgs:\n")
    described = {
        match[1]: " ".join(match[2].split())
        for match in re.finditer(r"^    (\w+): (.+(?:\n        .+)*)", arguments, re.MULTILINE)
    }
    return " ".join(about.split()), described


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Pydantic's schema without its titles, and with `X | None` as X, which every chat template can render."""

    def clean(node: Any) -> Any:
        if isinstance(node, list):
            return [clean(item) for item in node]
        if not isinstance(node, dict):
            return node
        options = [option for option in node.get("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1:
            node = {**options[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        return {
            key: clean(value)
            for key, value in node.items()
            if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
        }

    cleaned = clean(schema)
    cleaned.setdefault("properties", {})
    return cleaned


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _jsonable(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
