"""Which preset files are of, by their names and columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.datasets.archive import Raw, RawFile
from core.datasets.presets.pages import Preset, preset_named
from core.datasets.tables.form import NO_PRESET, TableForm
from core.datasets.tables.layout import Layout, NoRows
from core.datasets.tables.paths import path_facts
from core.datasets.tables.reading import ENDINGS, layout_of
from core.datasets.tables.survey import table_files
from core.errors import DatasetError

_LOOKED_AT = 4
"""Files of a preset that are looked at: one of them has the columns, or it is another's."""


def with_preset(
    raw: Raw, form: TableForm, known: Sequence[Preset], tell: Callable[[str], object] | None = None
) -> TableForm:
    """A form with what a preset knows: the one that it names, or, where it names none and says nothing of files, the
    only one that fits.

    Args:
        raw: the files.
        form: what is decided.
        known: every preset.
        tell: called with a sentence where several fit, so that none is used.

    Raises:
        UsageError: there is no such preset.
        DatasetError: the files are of one that says why they cannot be imported.
    """
    if form.preset == NO_PRESET or (form.files and (form.channels or not form.preset)):
        return form  # none is wanted, or its facts are there already, as import.toml has them
    if form.preset:
        preset = preset_named(form.preset, known)
    else:
        fitting = fitting_presets(raw, known)
        if len(fitting) > 1 and tell is not None:
            names = " and ".join(preset.name for preset in fitting)
            tell(f"the files are as those of the presets {names}, so that none is used; --preset names one")
        if len(fitting) != 1:
            return form
        (preset,) = fitting
    if preset.page.refuse:
        raise DatasetError(f"{raw.path}: {preset.page.refuse}")
    return form.over(preset.form)


def fitting_presets(raw: Raw, known: Sequence[Preset]) -> list[Preset]:
    """The presets whose files these are."""
    files = table_files(raw)
    layouts: dict[str, Layout | None] = {}
    return [preset for preset in known if _fits(preset, files, layouts)]


def _fits(preset: Preset, files: Sequence[RawFile], layouts: dict[str, Layout | None]) -> bool:
    signature = preset.page.signature
    if not (preset.form.files and (signature.columns or signature.width)):
        return False
    named = [file for file in files if path_facts(file.name, preset.form.files)]
    for file in named[:_LOOKED_AT]:
        if file.name not in layouts:
            layouts[file.name] = _layout(file)
        layout = layouts[file.name]
        if layout and {*signature.columns} <= {*layout.names} and signature.width in (0, len(layout.names)):
            return True
    return False


def _layout(file: RawFile) -> Layout | None:
    try:
        return layout_of(file) if file.name.lower().endswith(ENDINGS) else None
    except NoRows:
        return None
