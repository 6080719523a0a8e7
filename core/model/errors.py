"""What went wrong at an endpoint, in one sentence with the way out, and whether to try again."""

from __future__ import annotations

import email.utils
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.model.endpoints import Endpoint
from core.model.stream import NoCompletionsError, NotJsonError, ServerSaysError, SilentError
from core.text import one_line

MAX_WAIT_SEC = 120.0
"""The longest `Retry-After` that is obeyed; a longer one is told to the person instead."""

OVERLOADED = (503, 529)
"""What servers answer beside 429 that have too much to do: 529 is Anthropic's."""

RATE_RETRIES, SERVER_RETRIES, EMPTY_RETRIES = 6, 3, 2
"""How often a request is repeated that was refused for its rate, failed, or was answered with nothing."""


_TOO_LONG = re.compile(
    r"context[ _](length|size|window)|maximum context|(prompt|input) is too long|too many (input )?tokens"
)
_NO_TOOLS = re.compile(
    r"not support (tool|function)|tools? (choice|param|use)|tool_choice|tool-call-parser|--jinja"
    r"|(tool|function)[ _-]?call(s|ing)? (is|are) not|tools (is|are) not"
)
_NO_MODEL = re.compile(
    r"server is pinned to|invalid model name|(no such|unknown) model|model\b.{0,80}\bnot (found|exist)"
)
_NO_KEY = re.compile(r"no connected db")
"""What LiteLLM's proxy says (400) of a key that is not its own where it keeps no others."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed. It may be repeated `retries` times, each time after twice the wait before."""

    sentence: str
    retries: int = 0
    wait_sec: float = 0.0
    """How long the server said to wait first; 0 where it said nothing."""
    fixed: bool = False
    """The server said how long to wait: the wait does not grow."""
    for_all: bool = False
    """Every other request of a batch would meet it too."""
    busy: bool = False
    """The server has too much to do, or is asked too often."""

    def wait(self, attempt: int, backoff_sec: float) -> float:
        """Seconds to wait before attempt number `attempt` (the first repetition is 1); the first wait is `backoff_sec`
        where the server said nothing."""
        return self.wait_sec if self.fixed else min((self.wait_sec or backoff_sec) * 2 ** (attempt - 1), MAX_WAIT_SEC)


class BrokenReplyError(Exception):
    """The reply ended before it was whole, or is none."""


class EmptyReplyError(Exception):
    """The reply is whole and holds neither text nor a call."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A server's refusal of a request, in its own words."""

    status: int
    words: str
    param: object = None
    """The parameter that its error names as such."""


def refusal_in(error: Exception, endpoint: Endpoint) -> Refusal | None:
    """A server's refusal, with its status or inside a reply; None for any other error."""
    import openai

    if isinstance(error, openai.APIStatusError):
        status, body = error.status_code, error.body
    elif isinstance(error, ServerSaysError):
        status, body = _status(error.body), error.body
    else:
        return None
    inner = body.get("error") if isinstance(body, dict) else None
    param = (inner if isinstance(inner, dict) else body if isinstance(body, dict) else {}).get("param")
    return Refusal(status, endpoint.without_key(_words(body)), param) if status else None


def explain(
    error: Exception, endpoint: Endpoint, model: str, silent_sec: float, *, begun: bool = False
) -> Failure | None:
    """What a failing request means; None for an error that is no endpoint's doing. No key stands in the sentence.

    Args:
        error: what was raised.
        endpoint: who was asked.
        model: which model.
        silent_sec: how long it could be silent.
        begun: whether the message had begun.
    """
    failure = _explained(error, endpoint, model, silent_sec, begun)
    return failure and replace(failure, sentence=endpoint.without_key(failure.sentence))


def _explained(error: Exception, endpoint: Endpoint, model: str, silent_sec: float, begun: bool) -> Failure | None:
    import openai

    name = endpoint.name
    match error:
        case SilentError() | openai.APITimeoutError():
            return _timed_out(error, endpoint, silent_sec, begun)
        case openai.APIStatusError():
            words = endpoint.without_key(_words(error.body))
            return _refused(error.status_code, words, error.response.headers, endpoint, model)
        case openai.APIConnectionError():
            return _unreachable(error, endpoint)
        case ServerSaysError():
            return _broken_off(error.body, endpoint, model)
        case NoCompletionsError():
            return Failure(f"{name} answered with a web page; does its URL end in /v1? ({endpoint.base_url})")
        case BrokenReplyError():
            return Failure(f"{name} {error}", retries=SERVER_RETRIES)
        case EmptyReplyError():
            sentence = f"{name} answered with neither text nor a tool call; run the turn again"
            return Failure(sentence, retries=EMPTY_RETRIES)
        case NotJsonError():
            return Failure(
                f"{name} streamed something that is not JSON; does its URL end in /v1? ({endpoint.base_url})"
            )
        case UnicodeEncodeError():
            return Failure(f"{name}: the key in ${endpoint.api_key_env} holds characters that no key can have")
        case _:
            return None


def _timed_out(error: Exception, endpoint: Endpoint, silent_sec: float, begun: bool) -> Failure:
    if any(type(cause).__name__ == "ConnectTimeout" for cause in _causes(error)):
        return Failure(
            f"{endpoint.name} does not let itself be reached at {endpoint.base_url}; check the address and the "
            "network, or raise connect_timeout_sec under [model] in sensorloom.toml",
            for_all=True,
        )
    setting = "timeout_sec" if begun else "first_token_timeout_sec"
    return Failure(
        f"{endpoint.name} sent nothing for {silent_sec:g} s and was given up; see whether the server is busy, "
        f"or raise {setting} under [model] in sensorloom.toml"
    )


def _broken_off(body: Any, endpoint: Endpoint, model: str) -> Failure:
    """What a server told inside a reply; where it gives an HTTP status too, as if it had answered with that."""
    words = endpoint.without_key(_words(body))
    status = _status(body)
    if status:
        return _refused(status, words, {}, endpoint, model)
    told = f": {one_line(words)}" if words else ""
    return Failure(f"{endpoint.name} broke off with an error{told}; see the server's log, then run the turn again")


def _status(body: Any) -> int:
    """The HTTP status that an error inside a reply names, 0 when it names none."""
    inner = body.get("error") if isinstance(body, dict) else None
    for told in (inner, body):
        for key in ("code", "status", "status_code"):
            value = told.get(key) if isinstance(told, dict) else None
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return 0


def _refused(status: int, words: str, headers: Mapping[str, str], endpoint: Endpoint, model: str) -> Failure:
    name, text, lower = endpoint.name, one_line(words), words.lower()
    told = f": {text}" if text else ""
    if status == 429:
        return _too_many(name, told, lower, headers)
    if 300 <= status < 400:
        there = one_line(headers.get("location", "another address"))
        return Failure(f"{name} sends requests on to {there}; write the address that answers as its base_url")
    if status in (401, 403) or (status == 400 and _NO_KEY.search(lower)):
        key = f"${endpoint.api_key_env}" if endpoint.api_key_env else "api_key_env of this endpoint in sensorloom.toml"
        return Failure(f"{name} refuses the key ({status}){told}; set {key} to one that may use it", for_all=True)
    if _TOO_LONG.search(lower):
        return Failure(
            f"the thread is longer than {model} can read{told}; branch from an earlier turn, "
            "or serve the model with a longer context"
        )
    if (status == 404 and "model" in lower) or (status in (400, 422) and _NO_MODEL.search(lower)):
        return Failure(f"{name} has no model {model!r}{told}; pick one with ctrl+o or --model", for_all=True)
    if status == 404:
        sentence = f"{name} has no Chat Completions at {endpoint.base_url}; does its URL end in /v1?"
        return Failure(sentence, for_all=True)
    if _NO_TOOLS.search(lower) and status in (400, 404, 422, 500, 501):
        return Failure(
            f"{name} cannot call tools with {model}{told}; pick a model that can, or start the server with its tool "
            "parser (vLLM: --enable-auto-tool-choice --tool-call-parser …; llama.cpp: --jinja)",
            for_all=True,
        )
    if status in (408, 409) or status >= 500:
        return Failure(
            f"{name} failed with {status}{told}; see the server's log, then run the turn again",
            retries=SERVER_RETRIES,
            wait_sec=_asked_wait(headers) or 0.0,
            busy=status in OVERLOADED,
        )
    return Failure(f"{name} refused the request ({status}){told}")


def _too_many(name: str, told: str, lower: str, headers: Mapping[str, str]) -> Failure:
    if "insufficient_quota" in lower or "exceeded your current quota" in lower:
        sentence = f"{name} says the account has no credit left{told}; top it up, or pick another with ctrl+o"
        return Failure(sentence, for_all=True)
    wait = _asked_wait(headers)
    if wait is not None and wait > MAX_WAIT_SEC:
        return Failure(f"{name} asks to wait {wait:.0f} s before the next request{told}; run the turn again then")
    sentence = f"{name} asks for fewer requests (429){told}; lower --parallel or run again later"
    return Failure(sentence, retries=RATE_RETRIES, wait_sec=wait or 0.0, fixed=bool(wait), busy=True)


def _unreachable(error: Exception, endpoint: Endpoint) -> Failure:
    name, url = endpoint.name, endpoint.base_url
    causes = list(_causes(error))
    text = one_line(str(causes[-1]), 160)
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "CERTIFICATE" in text or "SSL" in text:
        return Failure(
            f"{name}: no safe connection to {url}: {text}; is it http rather than https, or its own certificate?",
            for_all=True,
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Failure(f"{name}: the host of {url} is not known here: {text}; check base_url and the network")
    if any(type(cause).__name__ in ("RemoteProtocolError", "ReadError") for cause in causes):
        return Failure(
            f"{name} closed the connection before the reply was whole; run the turn again",
            retries=SERVER_RETRIES,
        )
    if any(type(cause).__name__ in ("UnsupportedProtocol", "InvalidURL") for cause in causes):
        return Failure(f"{name}: {url!r} is no URL that can be asked; write it as http://host:port/v1", for_all=True)
    address = url if name == url else f"{url} ({name})"
    return Failure(
        f"nothing answers at {address}: {text}; start the server, or pick another with ctrl+o or --endpoint",
        retries=SERVER_RETRIES - 1,
        for_all=True,
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _words(body: Any) -> str:
    """The server's own words, out of the shapes in which servers put them."""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, dict):
        inner = body.get("error")
        body = inner if isinstance(inner, dict) else body if not isinstance(inner, str) else {"message": inner}
        words = body.get("message") or body.get("detail") or body.get("msg")
        code = body.get("code")
        if isinstance(words, str) and words:
            return f"{words} ({code})" if isinstance(code, str) and code not in words else words
        return json.dumps(body, ensure_ascii=False)
    if isinstance(body, str) and body.strip():
        return "" if "<html" in body.lower() else body
    return ""


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After-Ms` or `Retry-After` (RFC 9110: seconds or a date); None when not asked for."""
    for key, scale in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(key)
        if value is None:
            continue
        try:
            return max(0.0, float(value) / scale)
        except ValueError:
            moment = email.utils.parsedate_tz(value)
            if moment is not None:
                return max(0.0, email.utils.mktime_tz(moment) - time.time())
    return None
