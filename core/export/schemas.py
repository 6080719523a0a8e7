"""Tool schemas for threads that were made without keeping them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from core.export.profiles.profile import Making
from core.thread.call_checks import call_problems
from core.thread.updates import with_part
from core.thread.value import Thread, call_arguments, call_name, calls_of
from core.workspace import Workspace


class Schemas:
    """Today's tools, for threads that hold no schemas but whose every call fits today's tools of the same names."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def today(self) -> Sequence[Mapping[str, Any]]:
        """The schemas of this workspace's toolbox."""
        from core.runs.toolbox import open_toolbox

        return [tool.schema for tool in open_toolbox(self._workspace)]

    def filled(self, thread: Thread, making: Making) -> Thread:
        """The thread with the schemas of the tools it called, where it has none and they fit."""
        calls = [call for message in thread.messages for call in calls_of(message)]
        if thread.tools or not calls:
            return thread
        if any(call_problems(self.today, call_name(call), call_arguments(call)) for call in calls):
            return thread
        called = {call_name(call) for call in calls}
        making.changes["threads without tool schemas, given today's of the tools they called"] += 1
        return with_part(thread, "tools", [schema for schema in self.today if schema["function"]["name"] in called])
