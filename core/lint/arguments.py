"""Calls that the thread's own tools would refuse: an undeclared tool, arguments that break the schema."""

from __future__ import annotations

from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.call_checks import call_problems
from core.thread.json_text import arguments_problem
from core.thread.value import Thread, call_arguments, call_name, calls_of


def _undeclared_tool(thread: Thread, context: Context) -> Iterator[Finding]:
    if thread.tools is None:
        return
    for index, message in enumerate(thread.messages):
        for call in calls_of(message):
            for problem in call_problems(thread.tools, call_name(call), call_arguments(call)):
                if problem.path == "name":
                    fix = "name a tool the thread offers, or add the tool's schema to `tools`"
                    yield Finding("undeclared_tool", index, problem.text, fix)


def _bad_json(thread: Thread, context: Context) -> Iterator[Finding]:
    for index, message in enumerate(thread.messages):
        for call in calls_of(message):
            if problem := arguments_problem(call_arguments(call)):
                sentence = f"the arguments of {call_name(call)}: {problem}"
                yield Finding("arguments_json", index, sentence, "edit the call: its arguments must be a JSON object")


def _bad_schema(thread: Thread, context: Context) -> Iterator[Finding]:
    for index, message in enumerate(thread.messages):
        for call in calls_of(message):
            if thread.tools is None or arguments_problem(call_arguments(call)):
                continue
            for problem in call_problems(thread.tools, call_name(call), call_arguments(call)):
                if problem.path != "name":
                    sentence = f"{call_name(call)}, {problem.path}: {problem.text}"
                    yield Finding("arguments_schema", index, sentence, "edit the call and run it again")


UNDECLARED_TOOL = Check("undeclared_tool", "a call of a tool that was not offered", _undeclared_tool)
ARGUMENTS_JSON = Check("arguments_json", "arguments that are no JSON object", _bad_json)
ARGUMENTS_SCHEMA = Check("arguments_schema", "arguments that break the tool's schema", _bad_schema)
