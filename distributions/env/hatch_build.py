"""Puts `core` and `tools` into the wheel under `sensorloom`, their imports of each other rewritten."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parents[2]
PACKAGE = "sensorloom"
LEFT_OUT = {"core/cli", "core/cluster", "core/model/client.py", "core/export/probes"}
"""What needs a terminal, a client of a model, or a trainer's own Python."""
IMPORT = re.compile(r"^(\s*)(from|import) (core|tools)(?=[\s.])", re.MULTILINE)
FACE = f'''"""sensorloom without a screen: `from {PACKAGE} import Episode, open_workspace, tasks`."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    return getattr(import_module("{PACKAGE}.core"), name)
'''


BY_NAME = {
    "sensorloom_verifiers.py": f'''"""Where `verifiers` finds its task set by name."""

from {PACKAGE}.core.environments.verifiers import SessionTaskset

__all__ = ["SessionTaskset"]
'''
}
"""Modules beside the package, for frameworks that know a plugin by the name of a top module alone."""


def rewritten(text: str) -> str:
    """A module's text with its imports of `core` and `tools` out of the package."""
    return IMPORT.sub(rf"\1\2 {PACKAGE}.\3", text)


class Rewritten(BuildHookInterface[Any]):
    """Adds the rewritten tree to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the tree and name it to the builder."""
        self._folder = Path(tempfile.mkdtemp())
        package = self._folder / PACKAGE
        package.mkdir()
        (package / "__init__.py").write_text(FACE)
        for name, text in BY_NAME.items():
            (self._folder / name).write_text(text)
        for source in (path for room in ("core", "tools") for path in sorted((ROOT / room).rglob("*"))):
            name = source.relative_to(ROOT)
            if not source.is_file() or "__pycache__" in name.parts or any(map(name.is_relative_to, LEFT_OUT)):
                continue
            target = package / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".py":
                target.write_text(rewritten(source.read_text(encoding="utf-8")), encoding="utf-8")
            else:
                shutil.copyfile(source, target)
        for name in (PACKAGE, *BY_NAME):
            build_data["force_include"][str(self._folder / name)] = name

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the tree away."""
        shutil.rmtree(self._folder, ignore_errors=True)
