from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.listing.row_status import Survey
from core.thread.value import Thread
from core.workspace import open_workspace

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(("max_turns", "told"), [(10, False), (1, True)])
def test_only_a_thread_nobody_goes_on_with_is_marked_for_ending_on_a_result(
    tmp_path: Path, max_turns: int, told: bool
) -> None:
    document: dict[str, Any] = {
        "id": "x",
        "metadata": {"max_turns": max_turns},
        "messages": [
            {"role": "user", "content": "what is it?"},
            {"role": "assistant", "content": "a look", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "{}"},
        ],
    }
    findings = Survey(open_workspace(str(tmp_path))).findings(Thread(document), "x")
    assert ("ends_on_tool" in {finding.check for finding in findings}) is told
