# pyright: basic, reportMissingImports=false
"""Ten rollouts of NeMo Gym's own servers and agent on sessions, against a model that answers from a script. Prints what
happened as JSON. Runs in the environment of NeMo Gym: `nemo_gym_rollouts.py WORKSPACE OUTPUT`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

from sensorloom import open_workspace, tasks
from sensorloom.core.environments import nemo_gym as sensors

VENV = Path(sys.prefix)
CALLS = ({"channel_names": ["acc_x"]}, {"artifact_id": "nowhere"})
REQUESTS: list[str] = []


class Script(BaseHTTPRequestHandler):
    """The Responses API: two calls, one of them wrong, and an answer."""

    def log_message(self, *_):
        """Say nothing."""

    def do_POST(self):
        """Answer."""
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        REQUESTS.append(text)
        body = json.loads(text)
        turn = sum(item.get("type") == "function_call" for item in body["input"])
        if turn < len(CALLS):
            output = {"type": "function_call", "id": f"f{turn}", "call_id": f"c{turn}", "name": "detect_periodicity",
                      "arguments": json.dumps(CALLS[turn]), "status": "completed"}  # fmt: skip
        else:
            answer = {
                "type": "output_text",
                "text": "So it is.\n\nConfidence: low\nFinal Answer: walking",
                "annotations": [],
            }
            output = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [answer]}
        whole = {
            "id": "r", "object": "response", "created_at": 1, "model": "script", "output": [output],
            "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": body.get("tools", []),
        }  # fmt: skip
        data = json.dumps(whole).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def are_up(address: str, servers: subprocess.Popen) -> bool:
    """Wait until all servers say that they are up; false where they ended before."""
    while servers.poll() is None:
        try:
            with urlopen(address, timeout=5) as answer:
                listed = json.load(answer)
                if listed and all(is_up(each["url"]) for each in listed):
                    return True
        except (OSError, ValueError):
            pass
        time.sleep(1)
    return False


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def is_up(address: str) -> bool:
    """Whether a server answers."""
    with urlopen(address, timeout=5) as answer:
        return answer.status == 200


def main(root: str, output: str) -> dict:
    """Roll out."""
    model = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    home = Path(output)
    sensors.prepare(home, tasks(open_workspace(root), "demo", "train", count=10, seed=1))
    for server in (
        "resources_servers/sensorloom",
        "responses_api_agents/simple_agent",
        "responses_api_models/openai_model",
    ):
        installed = home / "venvs" / server / ".venv"  # what is installed, in the place of installing it once more
        installed.parent.mkdir(parents=True, exist_ok=True)
        installed.symlink_to(VENV)
    head = ["+head_server.host=127.0.0.1", f"+head_server.port={free_port()}"]
    settings = [
        *head,
        "+config_paths=[sensorloom.yaml,responses_api_models/openai_model/configs/openai_model.yaml]",
        f"+policy_base_url=http://127.0.0.1:{model.server_port}/v1",
        "+policy_api_key=none",
        "+policy_model_name=script",
        "+skip_venv_if_present=true",
        f"+uv_venv_dir={home / 'venvs'}",
    ]
    environment = {**os.environ, "NEMO_GYM_LOG_DIR": str(home / "logs")}
    gym = str(VENV / "bin/gym")
    address = f"http://127.0.0.1:{head[1].rpartition('=')[2]}/server_instances"
    rows = ["+input_jsonl_fpath=sessions.jsonl", "+output_jsonl_fpath=rollouts.jsonl"]
    collect = [gym, "eval", "run", "--no-serve", "+agent_name=sensorloom_agent", *rows, *head]
    with (home / "gym.log").open("w") as log:
        told = {"cwd": home, "env": environment, "stdout": log, "stderr": log}
        for _ in range(4):  # Ray gives itself 30 seconds to start, which a busy computer may not have
            servers = subprocess.Popen([gym, "env", "start", *settings], **told)
            try:
                if are_up(address, servers):
                    subprocess.run(collect, check=True, **told)
                    break
            finally:
                servers.send_signal(signal.SIGINT)
                servers.wait(60)
        else:
            raise SystemExit((home / "gym.log").read_text()[-2000:])
    rollouts = [json.loads(line) for line in (home / "rollouts.jsonl").read_text().splitlines()]
    return {
        "rewards": [rollout["reward"] for rollout in rollouts],
        "conversations": [
            {"row": rollout["task"], "messages": sensors.as_messages(rollout["response"]["output"])}
            for rollout in rollouts
        ],
        "prompts": REQUESTS,
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
