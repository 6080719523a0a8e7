from __future__ import annotations

import pytest

from tests.tools.made import MadeDataset, made_dataset
from tools.registry import ToolContext


@pytest.fixture
def dataset() -> MadeDataset:
    return made_dataset()


@pytest.fixture
def context(dataset: MadeDataset) -> ToolContext:
    return ToolContext(dataset, "s0_0000")
