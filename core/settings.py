"""`sensorloom.toml`: what a person sets for a workspace, read strictly.

A wrong key or value stops the program with the file, the line and the nearest right word, because a
setting that is silently ignored costs more than one that is refused.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from core.errors import WorkspaceError, system_reason
from core.files import read_regular_file
from core.settings_tables import EndpointSettings, ModelSettings, Table
from core.thread.form import FULL_NAME, TaskForm

SETTINGS_FILE = "sensorloom.toml"

BUILTIN_NAME = "builtin"
"""What the built-in analyst is called as an endpoint. It sends nothing anywhere."""

BUILTIN_MODEL = "builtin-analyst"
"""What threads made by the built-in analyst say in `metadata.model`."""

ACTING = ("endpoint", "headers", "extra_body")
"""Keys of `[model]` that decide where threads go, which variables' values go with them, and what is asked unseen."""


class PathSettings(Table, frozen=True):
    """The `[paths]` table: folders, relative to the workspace."""

    threads: str = "threads"
    exports: str = "exports"
    data: str = "data"


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class VarietySettings(Table, frozen=True):
    """The `[export.variety]` table: what an export's threads amount to at least, or at most; else it warns.

    What is not named is not looked at. `core.listing.variety` says how each is counted."""

    least_skeletons: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Sentence skeletons per 1,000 sentences."""
    least_path_bits: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Entropy of the tool paths, in bits."""
    most_first_line: Share | None = None
    """Share of the answers that are the first line of the first comparison."""
    least_cited: Share | None = None
    """Share of the final messages that cite a measurement."""
    least_mended: Share | None = None
    """Share of the threads that mend a tool's error."""
    most_mended: Share | None = None


class RunSettings(Table, frozen=True):
    """The `[run]` table: what new threads are like."""

    evidence: Literal["reference", "measure", "mix"] | None = None
    """What an answer may rest on: comparisons that rank the labels, measurements alone, or half of the threads each.
    Where it is not named: `mix` with the built-in analyst, `reference` with any other model."""


class TaskSettings(Table, frozen=True):
    """The `[task]` table: what a model is shown of a task."""

    form: str = FULL_NAME
    """The form of new threads: `full`, `compact`, or one of `forms`."""
    system: str | None = None
    """The system prompt of every form: a file in `prompts/`, `usual` or `none`."""
    question: str | None = None
    """What a model is told that proposes a question: likewise."""
    few_shot: int | tuple[str, ...] | None = None
    """Accepted threads that are shown before a new one: how many, or their ids."""
    tools: tuple[str, ...] | None = None
    """The tools that are offered, by name."""
    forms: dict[str, TaskForm] = msgspec.field(default_factory=dict[str, TaskForm])
    """Forms of one's own by name: `[task.forms.NAME]`."""


class ExportSettings(Table, frozen=True):
    """The `[export]` table: what holds for every export."""

    correct_only: bool = False
    """Whether threads with a wrong answer stay behind, unless a person accepted them."""
    variety: VarietySettings = VarietySettings()


Weight = Annotated[float, msgspec.Meta(ge=0)]


class RewardSettings(Table, frozen=True):
    """The `[reward]` table: what the parts of an episode's score weigh; `core.episodes.scoring` says what each is."""

    right: Weight = 1.0
    calls: Weight = 0.1
    grounded: Weight = 0.2
    brevity: Weight = 0.1


class PersonSettings(Table, frozen=True):
    """The `[person]` table: who works here."""

    name: str = ""
    """Kept with each step and verdict; the login's name when empty."""


class ScreenSettings(Table, frozen=True):
    """The `[screen]` table: how the program looks."""

    theme: Literal["auto", "dark", "light", "16"] = "auto"
    """Its colours: `auto` goes by what the terminal answers, `16` are the terminal's own."""
    live_seconds: Annotated[float, msgspec.Meta(ge=2, le=120)] = 10.0
    """How much of a recording under way is shown."""
    dots: Literal["auto", "braille", "blocks"] = "auto"
    """What plots are drawn of: braille, for which a font is needed that has it, or blocks that every font has."""


Key = Annotated[str, msgspec.Meta(min_length=1, max_length=1)]
"""One character."""
USUAL_REASONS = {
    "w": "wrong answer",
    "r": "wrong reason",
    "l": "leak",
    "u": "unneeded call",
    "m": "missing check",
    "b": "badly said",
}
"""What a verdict may give as its reasons in a workspace that has no list of its own."""


class Settings(Table, frozen=True):
    """Everything `sensorloom.toml` can say."""

    paths: PathSettings = PathSettings()
    endpoints: tuple[EndpointSettings, ...] = ()
    model: ModelSettings = ModelSettings()
    run: RunSettings = RunSettings()
    task: TaskSettings = TaskSettings()
    export: ExportSettings = ExportSettings()
    keys: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """Action name to key, for rebinding: `"turn.run" = "f5"`."""
    reward: RewardSettings = RewardSettings()
    person: PersonSettings = PersonSettings()
    screen: ScreenSettings = ScreenSettings()
    reasons: dict[Key, str] = msgspec.field(default_factory=lambda: dict(USUAL_REASONS))
    """Key to reason: what a verdict may give as its reasons, in the order they are offered."""
    tags: dict[Key, str] = msgspec.field(default_factory=dict[str, str])
    """Key to tag, for tags that are set by one key each."""


Tables = dict[str, Any]
"""What a settings file says, as it stands there and known to be valid."""


def load_settings(path: Path) -> Settings:
    """Read one settings file; the defaults when there is no file. Raises WorkspaceError."""
    return layered(load_tables(path))


def layered(*layers: Tables) -> Settings:
    """Settings from several files: a value of a later one wins, and its endpoints come before those of earlier ones."""
    merged: Tables = {"endpoints": [row for layer in reversed(layers) for row in layer.get("endpoints", ())]}
    for table in (name for name in Settings.__struct_fields__ if name != "endpoints"):
        if any(table in layer for layer in layers):
            merged[table] = {key: value for layer in layers for key, value in layer.get(table, {}).items()}
    return msgspec.convert(merged, Settings)


def acting_part(tables: Tables) -> Tables:
    """What of a file decides where threads and keys are sent; it counts only where its folder is trusted."""
    model = {key: value for key, value in tables.get("model", {}).items() if key in ACTING and value}
    if model.get("endpoint") == BUILTIN_NAME:
        del model["endpoint"]
    acting: Tables = {"endpoints": tables["endpoints"]} if tables.get("endpoints") else {}
    return acting | ({"model": model} if model else {})


def harmless_part(tables: Tables) -> Tables:
    """The rest of it: folders, sampling, keys of the keyboard."""
    rest = {name: table for name, table in tables.items() if name != "endpoints"}
    if acting := acting_part(tables).get("model"):
        rest["model"] = {key: value for key, value in tables["model"].items() if key not in acting}
    return rest


def load_tables(path: Path) -> Tables:
    """Read a settings file; empty when there is none.

    Raises:
        WorkspaceError: the file is not TOML, or has a key or value that is not known; one sentence.
    """
    text = ""
    try:
        text = read_regular_file(path).decode("utf-8-sig")
        tables = tomllib.loads(text)
        msgspec.convert(tables, Settings)
        return tables
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be read: {system_reason(error)}") from error
    except UnicodeDecodeError as error:
        raise WorkspaceError(f"{path}: is no UTF-8 text (byte {error.start + 1}); save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise WorkspaceError(f"{path}: {error}") from error
    except msgspec.ValidationError as error:
        raise WorkspaceError(_explain(path, text, str(error))) from error
    except RecursionError as error:
        raise WorkspaceError(f"{path}: tables or lists stand inside one another too deeply") from error
    except ValueError as error:  # Python reads no whole number of more than some thousand digits
        raise WorkspaceError(f"{path}: a number has too many digits") from error


_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Settings,
    "paths": PathSettings,
    "endpoints": EndpointSettings,
    "model": ModelSettings,
    "run": RunSettings,
    "task": TaskSettings,
    "task.forms": TaskForm,
    "export": ExportSettings,
    "reward": RewardSettings,
    "person": PersonSettings,
    "screen": ScreenSettings,
    "export.variety": VarietySettings,
}


def _explain(path: Path, text: str, message: str) -> str:
    """msgspec's message with the line it is about and, for an unknown key, the nearest known one."""
    reason, _, path_in_file = message.partition(" - at `$")
    steps = re.findall(r"[^.\[\]`]+", path_in_file)
    nested = ".".join(steps[:2])
    table = nested if nested in _TABLES else steps[0] if steps else ""
    unknown = re.search(r"unknown field `(.+?)`", reason)
    missing = re.search(r"missing required field `(.+?)`", reason)
    names = [step for step in steps if not step.isdigit() and step != "..."]
    key = unknown[1] if unknown else names[-1] if names else ""
    mention = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}\b", text, re.MULTILINE)
    line = text[: mention.start()].count("\n") + 1 if mention else 1
    if missing:
        return f"{path}, line {line}: a table of `{key}` has no `{missing[1]}`; add it"
    if not unknown:
        return f"{path}, line {line}: `{key}`: {reason[0].lower() + reason[1:]}"
    names = _TABLES.get(table, Settings).__struct_fields__
    near = difflib.get_close_matches(key, names, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}"
    return f"{path}, line {line}: unknown key `{key}`; {hint}"
