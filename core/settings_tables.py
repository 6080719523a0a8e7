"""The tables `[model]` and `[[endpoints]]` of `sensorloom.toml`: which servers there are, and how they are asked.

What both may say is `ServingSettings`: an endpoint's own value goes before that of `[model]`, an option of a command or
of the screen before both. `core.model.options` says how each is typed and sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, cast

import msgspec


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table that says nothing it does not know."""


VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


def variables_in(value: str) -> list[str]:
    """The environment variables that a value names: `${NAME}`, or `$NAME`."""
    return [match[1] or match[2] for match in VARIABLE.finditer(value)]


def is_spelled_out(secret: str) -> bool:
    """Whether a secret holds anything besides the one variable that stands for it."""
    return not VARIABLE.fullmatch(secret)


_SECRET_KEY = re.compile(
    r"(^|[_-])(api[_-]?keys?|auth|authorization|secrets?|password|passwd|cookie|credentials?"
    r"|(access|api|auth|bearer|hf|id|refresh|session|user)[_-]?tokens?)($|[_-])|^(key|token)$",
    re.IGNORECASE,
)


_OF_FIELDS = re.compile(r"(^|[_-])(properties|defs|definitions|schemas)$|^\$defs$", re.IGNORECASE)
"""What a table is called whose own keys name the fields of a schema, not what stands there."""


def with_secrets(table: Any, change: Callable[[str, str], str]) -> Any:
    """A request's further keys with each secret changed: every text and number that stands under a name like
    `api_key`, at any depth. Names of tokens that a model writes, such as `stop_token`, are none, and what a schema says
    of a property of such a name. `change` is given the name and the text, and gives the new text."""
    return _with_secrets(table, change, "")


def _with_secrets(part: Any, change: Callable[[str, str], str], under: str, *, of_fields: bool = False) -> Any:
    if isinstance(part, dict):
        changed: dict[str, Any] = {}
        for name, value in cast("dict[str, Any]", part).items():
            is_field = of_fields and isinstance(value, dict)
            secret = under or (name if _SECRET_KEY.search(name) and not is_field else "")
            changed[name] = _with_secrets(value, change, secret, of_fields=bool(_OF_FIELDS.search(name)))
        return changed
    if isinstance(part, list | tuple):
        return [_with_secrets(value, change, under) for value in cast("Sequence[Any]", part)]
    if under and part and isinstance(part, str | int | float) and not isinstance(part, bool):
        text = str(part)
        new = change(under, text)
        return part if new == text else new
    return part


def secret_texts(table: Any) -> list[tuple[str, str]]:
    """The secrets among a request's further keys, as `with_secrets` finds them, each after its name."""
    texts: list[tuple[str, str]] = []

    def note(name: str, text: str) -> str:
        texts.append((name, text))
        return text

    with_secrets(table, note)
    return texts


SystemRole = Literal["system", "developer", "user", "none"]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Price = Annotated[float, msgspec.Meta(ge=0)]
Probability = Annotated[float, msgspec.Meta(ge=0, le=1)]
Word = Annotated[str, msgspec.Meta(min_length=1)]

TIMEOUT_SEC = 60.0
CONNECT_TIMEOUT_SEC = 10.0
FIRST_TOKEN_TIMES = 10.0
"""So many times the seconds between tokens the first one may take, where nobody says how long: a long thread is read
through before anything is written."""
CONCURRENCY = 4
"""Threads that run at once where nobody says how many: of the built-in analyst, and of a server at first."""


class ServingSettings(Table, frozen=True):
    """How a server is asked. What is absent is left to the server, or is as its line says."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=1000)] | None = None
    """How freely the model chooses its words."""
    seed: int | None = None
    """What its chance begins with."""
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Tokens that a message may have."""
    top_p: Probability | None = None
    """Only the likeliest tokens that together have this probability."""
    top_k: Annotated[int, msgspec.Meta(ge=-1)] | None = None
    """Only so many of the likeliest tokens."""
    min_p: Probability | None = None
    """Only tokens with this share of the likeliest one's probability."""
    stop: Word | tuple[Word, ...] | None = None
    """Where the message ends: one text, or several."""
    tool_choice: Word | None = None
    """`auto`, `none`, `required`, or the name of the tool that must be called."""
    parallel_tool_calls: bool | None = None
    """Whether a message may hold several calls."""
    response_format: dict[str, Any] | None = None
    """What the text must look like, as the server has it: `{type = "json_object"}`."""
    extra_body: dict[str, Any] | None = None
    """Further keys of the request: `{chat_template_kwargs = {enable_thinking = false}}`. Under a name like `api_key`
    `${NAME}` stands for an environment variable, and what stands there is written nowhere else."""
    headers: dict[str, str] | None = None
    """Further headers. `${NAME}` in a value stands for an environment variable. Written nowhere else."""
    system_role: SystemRole | None = None
    """As whom the model is given its instructions: `system` unless told; `none` leaves them out."""
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=256)] | None = None
    """Threads that run at once at most; as many as the server takes quickly unless told."""
    connect_timeout_sec: Seconds | None = None
    """Seconds after which a server that does not let itself be reached is given up; 10 unless told."""
    first_token_timeout_sec: Seconds | None = None
    """Seconds without a byte before the first token; ten times `timeout_sec` unless told."""
    timeout_sec: Seconds | None = None
    """Seconds without a byte after it; 60 unless told."""
    price_in: Price | None = None
    """What a million tokens cost that the model reads."""
    price_out: Price | None = None
    """What a million tokens cost that the model writes."""


class EndpointSettings(ServingSettings, frozen=True, kw_only=True):
    """One `[[endpoints]]` table: a server that speaks Chat Completions."""

    name: str
    """What it is called on the screen."""
    base_url: str
    """Where it answers, with the version: `http://127.0.0.1:8000/v1`."""
    model: str = ""
    """The model to ask; the server's first when empty."""
    api_key_env: str = ""
    """The environment variable that holds its key. Keys are never written in the file."""


class ModelSettings(ServingSettings, frozen=True, kw_only=True):
    """The `[model]` table: how turns are sampled."""

    endpoint: str = ""
    """The endpoint used at start: a name from `[[endpoints]]`, or `builtin`."""
    max_turns: Annotated[int, msgspec.Meta(ge=1)] = 10
    """Assistant messages a run may make."""
    keep_reasoning: bool = False
    """Whether reasoning that the server streams apart is stored with the message."""
    tool_text: Literal["refuse", "parse"] = "refuse"
    """A call that the model wrote as text: `refuse` stops the run with a sentence, `parse` takes it as a call."""

    @property
    def connect_sec(self) -> float:
        """How long a connection may take."""
        return self.connect_timeout_sec or min(CONNECT_TIMEOUT_SEC, self.token_sec)

    @property
    def first_token_sec(self) -> float:
        """How long the server may be silent before the first token."""
        return self.first_token_timeout_sec or FIRST_TOKEN_TIMES * self.token_sec

    @property
    def token_sec(self) -> float:
        """How long the server may be silent once it has begun."""
        return self.timeout_sec or TIMEOUT_SEC
