"""What the driver packs for every worker of one command."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from core.cluster.node import code_digest, our_version
from core.cluster.parcels import parcel_of
from core.cluster.travelling import DATASET, Kit
from core.datasets.standard import open_dataset
from core.errors import UsageError
from core.model.endpoints import ModelChoice
from core.runs.own_tools import files_of
from core.runs.toolbox import toolbox_of
from core.settings import Settings
from core.workspace import Workspace


def kit_of(
    workspace: Workspace,
    datasets: Iterable[str],
    tell: Callable[[str], None],
    *,
    with_tools: bool = True,
    shared: bool = True,
    data_from: str = "",
) -> Kit:
    """A kit with these datasets, with the settings, and with the tools of this workspace or none. `shared` and
    `data_from` say how machines come to the datasets; see `core.cluster.travelling.Kit`.

    Raises:
        UsageError: several datasets are to be read at one URL.
        DatasetError: a dataset is not there.
    """
    names = sorted(datasets)
    if data_from and len(names) > 1 and DATASET not in data_from:
        raise UsageError(f"{' and '.join(names)} cannot all lie at one URL: write {DATASET} in --data-from")
    files = tuple(file for file in files_of(workspace) if with_tools)
    toolbox = toolbox_of(files)
    for problem in toolbox.problems:
        tell(problem)
    return Kit(
        our_version(),
        code_digest(),
        _settings(workspace),
        ModelChoice(),
        None,
        tuple(tool.name for tool in toolbox.tools) if with_tools else (),
        tuple(file for file in files if not file.problem),
        tuple(parcel_of(open_dataset(workspace, name)) for name in names),
        shared,
        data_from,
    )


def _settings(workspace: Workspace) -> Settings:
    """The settings as they are here, with the name of who works here, under which steps are kept wherever they are
    made."""
    settings = workspace.settings
    return msgspec.structs.replace(settings, person=msgspec.structs.replace(settings.person, name=workspace.person))
