"""The server itself, by the official SDK (`mcp`), which is not installed with sensorloom."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from core.errors import UsageError, system_reason
from core.mcp_server.work import Work
from core.thread.opening import system_prompt
from core.thread.over_mcp import BEGIN

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

LOOPBACK = "127.0.0.1"
PATH = "/mcp"
_HOW = f"Call `{BEGIN}` first: it describes a recorded session and asks a question about it."


def server_of(work: Work) -> Server[Any]:
    """An MCP server over one agent's work. Raises UsageError where the SDK is not installed."""
    try:
        import mcp_types as types
        from anyio import to_thread
        from mcp.server.context import ServerRequestContext
        from mcp.server.lowlevel import Server
    except ImportError as error:
        raise UsageError("the MCP server needs the official SDK: pip install 'sensorloom[mcp]'") from error

    async def listed(_: ServerRequestContext[Any], __: object) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(name=tool["name"], description=tool["description"], input_schema=dict(tool["parameters"]))
                for tool in work.tools
            ]
        )

    async def called(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
        client = context.session.client_params
        agent = client.client_info.name if client is not None else ""
        result = await to_thread.run_sync(work.call, params.name, params.arguments or {}, agent)
        failed = result.startswith('{"error":')
        return types.CallToolResult(content=[types.TextContent(text=result)], is_error=failed)

    return Server(
        "sensorloom",
        version=_version(),
        instructions=f"{_HOW}\n\n{system_prompt()}",
        on_list_tools=listed,
        on_call_tool=called,
    )


def _version() -> str:
    """Of whichever distribution this is part of."""
    for name in ("sensorloom", "sensorloom-env"):
        with suppress(PackageNotFoundError):
            return version(name)
    return ""


def serve_stdio(work: Work) -> None:
    """Serve over standard input and output until the client closes them. Raises UsageError."""
    server = server_of(work)
    import anyio
    from mcp.server.stdio import stdio_server

    async def serve() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(serve)


def serve_http(work: Work, port: int, ready: Callable[[str], object]) -> None:
    """Serve over streamable HTTP, to this computer alone, until it is interrupted.

    Args:
        work: the agent's work; whoever connects goes on with it.
        port: where; 0 takes a free one.
        ready: told the address once it is open.

    Raises:
        UsageError: the SDK is not installed, or the port is in use.
    """
    server = server_of(work)
    import uvicorn

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((LOOPBACK, port))
            listening.listen()  # who is told the address may call at once
        except OSError as error:
            reason = system_reason(error)
            raise UsageError(f"cannot listen on {LOOPBACK}:{port}: {reason}; name another --http") from error
        app = server.streamable_http_app(streamable_http_path=PATH, host=LOOPBACK)
        ready(f"http://{LOOPBACK}:{listening.getsockname()[1]}{PATH}")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
