"""What chat templates of the families do to a row of ours, with the templates themselves, and the page that says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.export.profiles import PROFILES
from core.export.profiles.profile import Making, Row
from core.thread.value import Thread

from ..core.export.threads import call, document, result

TREE = Path(__file__).parents[2]
HOME = TREE / ".trainers/templates"
NAMES = {
    "Qwen2.5": "qwen2_5", "Qwen3": "qwen3", "Qwen3 Instruct 2507": "qwen3_instruct_2507", "Qwen3.6": "qwen3_6",
    "Llama 3.1, 3.2": "llama3_1", "Gemma 3": "gemma3", "Gemma 4": "gemma4_v5", "gpt-oss (Harmony)": "gptoss",
    "Mistral v3": "mistral_v3", "Mistral v11": "mistral_v11", "Mistral v13": "mistral_v13",
}  # fmt: skip
"""The families on the page, each with its template's file."""


class Generation(Extension):
    """`{% generation %}`, which marks what is trained."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


def as_json(value: Any, indent: int | None = None, ensure_ascii: bool = False, **_: Any) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=ensure_ascii)


def refuse(why: str) -> None:
    raise ValueError(why)


@pytest.fixture(scope="module")
def render() -> Callable[[str, Row], str]:
    if not (HOME / ".done").exists():
        pytest.skip("the templates are not installed; `make trainers` builds them")
    (shipped,) = HOME.glob("lib/*/site-packages/trl/chat_templates")
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = as_json
    shared: dict[str, Any] = environment.globals
    shared |= {"raise_exception": refuse, "strftime_now": lambda _: "2026-01-01"}

    def rendered(name: str, row: Row) -> str:
        path = (HOME if name.startswith("mistral") else shipped) / f"{name}.jinja"
        template = environment.from_string(path.read_text(encoding="utf-8"))
        return template.render(
            messages=row["messages"], tools=json.loads(row["tools"]), bos_token="<s>", eos_token="</s>"
        )

    return rendered


def row(*, split_calls: bool = False, beside: bool = True) -> Row:
    """Two calls at once with text and reasoning beside, then one with an empty content, then the answer."""
    thread = document(1)
    thread["messages"][1] |= {"reasoning_content": "REASONED", "content": "BESIDE" if beside else ""}
    thread["messages"][1]["tool_calls"][1]["function"]["arguments"] = '{"channel_names": ["SECOND"]}'
    alone = call("c9", "show_channel_stats", dataset_name="ALONE")
    thread["messages"][4:4] = [
        {"role": "assistant", "content": "", "tool_calls": [alone]},
        result("c9", "show_channel_stats", {"third": 3}),
    ]
    make = PROFILES["hf"].rows
    assert make is not None
    return make(Thread(thread), Making(split_calls=split_calls))[0]


def facts(render: Callable[[str, Row], str], name: str) -> tuple[str, ...]:
    """The cells of the page's table for one template."""
    try:
        render(name, row(split_calls=True, beside=False))
    except ValueError as error:
        assert "alternate" in str(error)
        return ("knows no tools: refused",) * 5
    try:
        whole = render(name, row(beside=False))
    except ValueError:
        parallel = "refused: `--split-calls`"
    else:
        parallel = "kept" if "SECOND" in whole else "**all but the first dropped**: `--split-calls`"
    try:
        text = render(name, row(split_calls=True))
    except ValueError:
        return (parallel, "refused", *_others(render(name, row(split_calls=True, beside=False))))
    return (parallel, "kept" if "BESIDE" in text else "**dropped**", *_others(text))


def _others(text: str) -> tuple[str, str, str]:
    assert "ALONE" in text and "1.95" in text and "third" in text and "Dominant frequencies" in text
    assert '\\"dataset_name' not in text and "None" not in text and "null" not in text
    return "kept" if "call00001" in text else "left out", "kept" if "REASONED" in text else "dropped", "as nothing"


@pytest.mark.parametrize("family", NAMES)
def test_the_page_says_what_a_template_does(render: Callable[[str, Row], str], family: str):
    page = (TREE / "docs/training.md").read_text(encoding="utf-8")
    cells = facts(render, NAMES[family])
    assert f"| {family} | {' | '.join(cells)} |" in page
