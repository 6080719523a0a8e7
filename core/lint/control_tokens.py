"""A chat template's own tokens in what is said: a trainer's tokenizer would take them for the ends of messages.

They come from servers that do not parse what their model writes. The tokens are those of the chat templates of
Qwen and Hermes, Llama, Mistral, Gemma, gpt-oss (Harmony) and DeepSeek, as their tokenizer configurations list them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.lint.finding import Check, Context, Finding
from core.thread.value import Thread, text_of

_TOKEN = re.compile(
    r"<\|[a-z][a-z0-9_]{0,40}\|>|<｜[^｜<>]{1,40}｜>|</?tool_(?:call|response)>|<function=[\w.\-]+>"
    r"|\[/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]|<(?:start|end)_of_turn>|</s>"
)
_HINTS = ("<|", "<｜", "tool_", "<function=", "INST]", "[TOOL", "[AVAIL", "_of_turn>", "</s>")
"""A text without any of these holds no token; looking for them is several times faster."""


def _control_tokens(thread: Thread, context: Context) -> Iterator[Finding]:
    for position, message in enumerate(thread.messages):
        text = text_of(message)
        token = _TOKEN.search(text) if any(hint in text for hint in _HINTS) else None
        if token:
            yield Finding(
                "control_tokens",
                position,
                f"the text holds {token[0]}, a token of a chat template",
                "take it out; where it is a call, start the server with its tool parser and run the turn again",
            )


CONTROL_TOKENS = Check("control_tokens", "a chat template's tokens in a text", _control_tokens)
