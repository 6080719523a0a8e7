# pyright: basic, reportMissingImports=false, reportArgumentType=false
# pyright: reportOptionalSubscript=false, reportIndexIssue=false
"""Ten rollouts of `verifiers` against a server that answers from a script. Prints what happened as JSON. Runs in the
environment of `verifiers`: `verifiers_eval.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import verifiers.v1 as vf
from sensorloom.core.environments.verifiers import SessionTasksetConfig, as_messages
from verifiers.v1.cli.eval.runner import run_eval
from verifiers.v1.configs.cli.eval import EvalConfig
from verifiers.v1.envs.single_agent import SingleAgentEnvConfig
from verifiers.v1.harnesses.null import NullHarnessConfig

CALLS = ({"channel_names": ["acc_x"]}, {"artifact_id": "nowhere"})
REQUESTS: list[str] = []


class Script(BaseHTTPRequestHandler):
    """Chat Completions: two calls, one of them wrong, and an answer."""

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        """Answer."""
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        REQUESTS.append(text)
        body = json.loads(text)
        turn = sum(message["role"] == "assistant" for message in body["messages"])
        message = {"role": "assistant", "content": "So it is.\n\nConfidence: low\nFinal Answer: walking"}
        if turn < len(CALLS):
            function = {"name": "detect_periodicity", "arguments": json.dumps(CALLS[turn])}
            message = {"role": "assistant", "content": None,
                       "tool_calls": [{"id": f"c{turn}", "type": "function", "function": function}]}  # fmt: skip
        reason = "tool_calls" if "tool_calls" in message else "stop"
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"], "usage": usage}
        if body.get("stream"):
            for call in message.get("tool_calls", ()):
                call["index"] = 0
            chunk = {**whole, "object": "chat.completion.chunk"}
            chunk["choices"] = [{"index": 0, "delta": message, "finish_reason": reason}]
            data, kind = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode(), "text/event-stream"
        else:
            choice = {"index": 0, "message": message, "finish_reason": reason}
            data, kind = json.dumps({**whole, "choices": [choice]}).encode(), "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main(root: str, output: str) -> dict:
    """Roll out."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["SCRIPT_KEY"] = "none"
    client = vf.EvalClientConfig(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key_var="SCRIPT_KEY")
    sessions = SessionTasksetConfig(id="sensorloom-verifiers", workspace=root, count=10, seed=1)
    agent = vf.AgentConfig(harness=NullHarnessConfig(id="null"), runtime=vf.SubprocessConfig())
    env = SingleAgentEnvConfig(taskset=sessions, agent=agent)
    config = EvalConfig(
        env=env, model="script", client=client, push=False, rich=None, output_dir=output, max_concurrent=2
    )
    episodes = asyncio.run(run_eval(config))
    traces = [trace for episode in episodes for trace in episode.traces]
    return {
        "errors": [error.message for trace in traces for error in trace.errors],
        "rewards": [trace.rewards["worth"].score for trace in traces if trace.rewards.get("worth")],
        "conversations": [{"row": trace.task.data.row, "messages": as_messages(trace)} for trace in traces],
        "prompts": REQUESTS,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
