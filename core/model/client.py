"""One code path to every model: the openai client, streaming, with what servers differ in levelled out.

The client's own retries are off: a wait that nobody sees looks like a program that hangs. `Model.stream`
repeats a request visibly, and only while nothing has come of the reply.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.model.endpoints import Endpoint, ModelChoice
from core.model.errors import BrokenReplyError, EmptyReplyError, Failure, explain, refusal_in
from core.model.headers import body_for, headers_for
from core.model.listing import first_model
from core.model.refusals import Dropped, Refusals, dropped_sentence, refused_name
from core.model.reply import Reply, ReplyEvent, Waiting
from core.model.request import request_body, sampling_record
from core.model.stream import DONE, ServerSaysError, read_chunks
from core.model.text_calls import text_calls, tool_names

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream

BACKOFF_SEC = 0.5


class Model:
    """A chosen model, ready to be asked. Lives in one event loop; close it there.

    Several turns may stream from it at once.
    """

    def __init__(
        self,
        choice: ModelChoice,
        transport: Any = None,
        backoff_sec: float = BACKOFF_SEC,
        refusals: Refusals | None = None,
    ) -> None:
        """Make it ready.

        Args:
            choice: which model, where, with which settings.
            transport: replaces the network (an `httpx2.AsyncBaseTransport`).
            backoff_sec: the first wait after a failing server; doubled each time.
            refusals: what the endpoint is asked without; what it refuses is added.
        """
        self.choice = choice
        self._name = choice.model or choice.endpoint.model
        self._transport = transport
        self._backoff_sec = backoff_sec
        self._client: AsyncOpenAI | None = None
        self._refusals = refusals or Refusals()

    async def name(self) -> str:
        """The model's name; asks the server when nobody gave one. Raises ModelError."""
        if not self._name:
            self._name = await first_model(self.choice.endpoint, timeout_sec=self.choice.settings.connect_sec)
        return self._name

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def stream(
        self,
        reply: Reply,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]],
        seed: int | None = None,
    ) -> AsyncIterator[ReplyEvent | Waiting | Dropped]:
        """Ask for one message and put it together in `reply`, reporting what comes. `seed` replaces the settings'.

        What the server refuses to be asked is left out, which is reported, and remembered once it answers without.
        When it raises or is stopped, `reply` holds what had come.

        Raises:
            ModelError: one sentence: what happened at the endpoint, and the way out.
        """
        model = await self.name()
        reply.tool_names = tool_names(tools)
        settings = self.choice.settings
        extra = body_for(self.choice.endpoint.name, settings.extra_body)
        attempt = 0
        known, refused = self._refusals.of(model), frozenset[str]()
        while True:
            without = known | refused
            body = request_body(settings, model, messages, tools, seed, without, extra)
            reply.sent = sampling_record(settings, body, without)
            try:
                async for event in self._attempt(reply, body):
                    yield event
                _refuse_unfinished(reply, self.choice)
                for event in self._calls_in_text(reply) if tools else ():
                    yield event
                if reply.empty:
                    raise EmptyReplyError
                if refused - known:
                    self._refusals.add(model, refused)
                return
            except Exception as error:
                dropped = self._refused_by(error, body, without, reply.run)
                failure = Failure("") if dropped else self._failure(error, model, reply)
                if failure is None:
                    raise
                if not reply.empty or (not dropped and attempt >= failure.retries):
                    raise ModelError(failure.sentence, for_all=failure.for_all) from error
            reply.reset()
            if dropped:
                refused |= {dropped.name}
                yield dropped
                continue
            attempt += 1
            seconds = failure.wait(attempt, self._backoff_sec)
            yield Waiting(reply.run, seconds, failure.sentence, failure.busy, asked_to=failure.wait_sec > 0)
            await asyncio.sleep(seconds)

    def _calls_in_text(self, reply: Reply) -> Iterator[ReplyEvent]:
        """Take calls that were written as text for calls where the settings say so. Raises ModelError where not."""
        written = None if reply.calls else text_calls(reply.text, reply.tool_names)
        if written is None:
            return
        if self.choice.settings.tool_text == "parse" and written.calls:
            yield from reply.adopt(written)
            return
        unreadable = ", in a form that cannot be read" if self.choice.settings.tool_text == "parse" else ""
        way = "" if unreadable else ', or take such text for calls with tool_text = "parse" under [model]'
        raise ModelError(
            f"{self.choice.endpoint.name}: the model wrote its call as text{unreadable}: start the server with its "
            f"tool parser (vLLM: --enable-auto-tool-choice --tool-call-parser …; llama.cpp: --jinja){way}"
        )

    def _failure(self, error: Exception, model: str, reply: Reply) -> Failure | None:
        """What to do about a failed request."""
        if isinstance(error, ModelError):
            return Failure(str(error), for_all=error.for_all)
        begun, settings = _begun(reply), self.choice.settings
        silent_sec = settings.token_sec if begun else settings.first_token_sec
        return explain(error, self.choice.endpoint, model, silent_sec, begun=begun)

    def _refused_by(
        self, error: Exception, body: Mapping[str, Any], refused: frozenset[str], run: str
    ) -> Dropped | None:
        """The parameter that the server refused and can be asked without; None where it is another trouble."""
        refusal = refusal_in(error, self.choice.endpoint)
        if refusal is None:
            return None
        messages: Sequence[Mapping[str, Any]] = body["messages"]
        role = str(messages[0].get("role")) if messages else ""
        name = refused_name(refusal.status, refusal.words, refusal.param, body, role)
        if not name or name in refused:
            return None
        return Dropped(run, name, dropped_sentence(self.choice.endpoint.name, name, refusal.words))

    async def _attempt(self, reply: Reply, body: dict[str, Any]) -> AsyncIterator[ReplyEvent]:
        """One request. Chunks are taken as the JSON objects they are: servers put more into them than the
        client's classes know, and building those classes would be most of the work."""
        import httpx2
        import openai

        settings, stream = self.choice.settings, await self._asked(body)
        request = stream.response.request

        def patience() -> float:
            return settings.token_sec if _begun(reply) else settings.first_token_sec

        try:
            async for chunk in read_chunks(stream.response, self.choice.endpoint.cleaner(), patience):
                for event in () if chunk is DONE else reply.read(chunk):
                    yield event
                reply.ended = reply.ended or chunk is DONE
        except ServerSaysError:
            if not reply.finish:  # else the reply was whole before the trouble came
                raise
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(request=request) from error
        except httpx2.HTTPError as error:
            raise openai.APIConnectionError(request=request) from error
        finally:
            await stream.close()
        if not (reply.finish or reply.ended):
            raise BrokenReplyError("ended its reply before it was whole; run the turn again")
        for event in reply.end():
            yield event

    async def _asked(self, body: dict[str, Any]) -> AsyncStream[object]:
        """Send the request and await its status, which comes with the first token or before it. The client's own limit
        holds for all that follows, too. Raises openai.APITimeoutError."""
        import httpx2
        import openai

        client, settings = self._opened(), self.choice.settings
        try:
            async with asyncio.timeout(max(settings.first_token_sec, settings.connect_sec)):
                return await client.post(
                    "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
                )
        except TimeoutError as error:
            raise openai.APITimeoutError(request=httpx2.Request("POST", client.base_url)) from error

    def _opened(self) -> AsyncOpenAI:
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI, DefaultAsyncHttpxClient

            endpoint, settings = self.choice.endpoint, self.choice.settings
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
            # once it has begun, `read_chunks` is the stricter one
            read_sec = max(settings.first_token_sec, settings.token_sec)
            timeout = httpx2.Timeout(read_sec, connect=settings.connect_sec, pool=None)
            transport = self._transport
            if transport is None and endpoint.builtin:
                from core.analyst.transport import BuiltinTransport

                transport = BuiltinTransport(seed=self.choice.settings.seed or 0)
            own, headers = endpoint.is_environments(), headers_for(endpoint.name, endpoint.headers)
            self._client = AsyncOpenAI(
                api_key=endpoint.api_key(),
                base_url=endpoint.base_url or "http://builtin.invalid/v1",
                max_retries=0,
                timeout=timeout,
                default_headers=headers if own else {**_only_own_headers(endpoint), **headers},
                http_client=DefaultAsyncHttpxClient(
                    transport=transport,
                    timeout=timeout,
                    trust_env=not endpoint.local,
                    limits=limits,
                    follow_redirects=False,  # nobody chose where that leads
                ),
            )
            if not own:
                self._client.organization = self._client.project = None
        return self._client


def _begun(reply: Reply) -> bool:
    """Whether a first token has come."""
    return bool(reply.text or reply.reasoning or not reply.empty)


def _only_own_headers(endpoint: Endpoint) -> dict[str, Any]:
    """What keeps the headers that `OPENAI_CUSTOM_HEADERS` adds to every request away from an endpoint it isn't for."""
    from openai import Omit

    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = [line.partition(":")[0].strip() for line in lines if ":" in line]
    foreign = {name: Omit() for name in names if name.lower() != "authorization"}
    return {**foreign, "Authorization": f"Bearer {endpoint.api_key()}"}


def _refuse_unfinished(reply: Reply, choice: ModelChoice) -> None:
    """Raise ModelError for a reply that was cut off."""
    name = choice.endpoint.name
    if reply.finish == "length":
        limit = choice.settings.max_tokens
        raise ModelError(
            f"{name} cut the reply at {f'max_tokens = {limit}' if limit else 'its own token limit'}; "
            "raise max_tokens under [model] in sensorloom.toml, or the server's limit"
        )
    if reply.finish == "content_filter":
        raise ModelError(f"{name} withheld the rest of the reply (content filter); reword the question")
