# pyright: basic, reportMissingImports=false
"""Ten sessions over OpenEnv's own server and client, the calls from a script. Prints what happened as JSON. Runs in
OpenEnv's environment: `openenv_server.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading

import uvicorn
from openenv.core.env_server.http_server import create_fastapi_app
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation
from openenv.core.mcp_client import MCPToolClient
from sensorloom import open_workspace, tasks
from sensorloom.core.environments.openenv import SessionEnvironment

CALLS = ({"channel_names": ["acc_x"]}, {"artifact_id": "nowhere"})
ANSWER = {"text": "So it is.", "final_answer": "walking", "confidence": "low"}


async def play(address: str, told: dict) -> None:
    """Play every session to its end."""
    async with MCPToolClient(base_url=address) as client:
        for number in range(10):
            begun = await client.reset(seed=number)
            told["prompts"].append(str(begun))
            told["prompts"].append(str([tool.model_dump() for tool in await client.list_tools()]))
            messages = []
            for turn, arguments in enumerate(CALLS):
                step = await client.step(CallToolAction(tool_name="detect_periodicity", arguments=arguments))
                told["prompts"].append(str(step.observation))
                function = {"name": "detect_periodicity", "arguments": json.dumps(arguments)}
                result = step.observation.result
                text = result if isinstance(result, str) else result["data"]
                messages += [
                    {"role": "assistant", "content": "", "tool_calls": [
                        {"id": f"c{turn}", "type": "function", "function": function}]},
                    {"role": "tool", "tool_call_id": f"c{turn}", "content": text},
                ]  # fmt: skip
            last = await client.step(CallToolAction(tool_name="answer", arguments=ANSWER))
            assert last.done, last
            closing = "So it is.\n\nConfidence: low\nFinal Answer: walking"
            messages.append({"role": "assistant", "content": closing})
            for name, arguments in (("answer", ANSWER), ("detect_periodicity", CALLS[0])):
                late = await client.step(CallToolAction(tool_name=name, arguments=arguments))
                assert late.done and late.reward == 0 and "was answered" in str(late.observation), late
            told["rewards"].append(last.reward)
            told["conversations"].append({"row": told["rows"][number], "messages": messages})


def main(root: str, output: str) -> dict:
    """Serve and play."""
    some = tasks(open_workspace(root), "demo", "train", count=10, seed=1)
    told = {"rewards": [], "conversations": [], "prompts": [], "rows": [task.row() for task in some]}
    app = create_fastapi_app(lambda: SessionEnvironment(some), CallToolAction, CallToolObservation)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        asyncio.run(play(f"http://127.0.0.1:{listening.getsockname()[1]}", told))
        server.should_exit = True
        thread.join(10)
    return told


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
