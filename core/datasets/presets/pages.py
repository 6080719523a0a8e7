"""A preset: one page of TOML that says how an app, a device or a public set writes its tables."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from core.datasets.tables.form import TableForm, form_of, read_toml
from core.errors import UsageError
from core.workspace import Workspace

OWN_FOLDER = "presets"
"""Beside `sensorloom.toml`: a person's own pages."""
KINDS = ("app", "device", "public set")
_ENDING = ".toml"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what files are known to be of a preset, beside their names."""

    columns: tuple[str, ...] = ()
    """Columns that one of them has."""
    width: int = 0
    """How many columns it has, where it names none."""


class _Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A page as it is written."""

    title: str
    kind: str
    about: str
    source: str
    """Where it is described or published: an address."""
    licence: str = ""
    download: str = ""
    unverified: str = ""
    """Which of its facts could not be checked against the source."""
    refuse: str = ""
    """Why such files cannot be imported, and what to do instead."""
    signature: Signature = Signature()
    read: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """A `TableForm`."""


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of an app, a device or a public set."""

    name: str
    path: Path
    own: bool
    """Whether it is a person's own."""
    page: _Page
    form: TableForm


def read_preset(path: Path, *, own: bool = False) -> Preset:
    """A page of facts. Raises UsageError that names the file, the key and what would be right."""
    data = read_toml(path)
    try:
        page = msgspec.convert(data, _Page)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}; its keys are {', '.join(_Page.__struct_fields__)}") from error
    if page.kind not in KINDS:
        raise UsageError(f"{path}: kind {page.kind!r}: there are {', '.join(KINDS)}")
    if page.signature.width < 0:
        raise UsageError(f"{path}: [signature]: width {page.signature.width}: how many columns there are, from 1")
    form = form_of(page.read, f"{path}: [read]")
    named = " · ".join(filter(None, (page.title, page.source, page.licence)))
    return Preset(path.stem, path, own, page, replace(form, preset=path.stem, source=form.source or named))


def presets(
    workspace: Workspace | None = None, wrong: Callable[[str, UsageError], object] | None = None
) -> list[Preset]:
    """Every preset, by name; a person's own take the place of others of that name.

    Args:
        workspace: whose own pages count.
        wrong: told the name of an own page that cannot be read, and why; the others go on. What it raises is raised.

    Raises:
        UsageError: an own page cannot be read, and nobody is told.
    """
    pages = {path.stem: read_preset(path) for path in sorted(Path(__file__).parent.glob(f"*{_ENDING}"))}
    own = () if workspace is None else sorted((workspace.root / OWN_FOLDER).glob(f"*{_ENDING}"))
    for path in own:
        try:
            pages[path.stem] = read_preset(path, own=True)
        except UsageError as error:
            if wrong is None:
                raise
            wrong(path.stem, error)
    return [pages[name] for name in sorted(pages)]


def preset_named(name: str, known: Sequence[Preset]) -> Preset:
    """A preset. Raises UsageError that names the nearest."""
    for preset in known:
        if preset.name == name:
            return preset
    near = difflib.get_close_matches(name, [preset.name for preset in known], 1)
    hint = f"did you mean {near[0]}?" if near else "`sensorloom datasets presets` lists them"
    raise UsageError(f"there is no preset {name}; {hint}")


def as_plain(preset: Preset) -> dict[str, Any]:
    """A preset as a program reads it."""
    page = {name: part for name, part in msgspec.to_builtins(preset.page).items() if part}
    return {"name": preset.name, "own": preset.own, "path": str(preset.path), **page}


def as_table(known: Sequence[Preset]) -> str:
    """Presets as a table of Markdown, by kind."""
    lines = ["| preset | of | read |", "|---|---|---|"]
    for preset in sorted(known, key=lambda preset: (KINDS.index(preset.page.kind), preset.name)):
        page = preset.page
        about = f"{page.about}. {page.unverified}" if page.unverified else page.about
        lines.append(f"| `{preset.name}` | [{page.title}]({page.source}) | {about} |")
    return "\n".join(lines)
