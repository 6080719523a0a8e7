"""Datasets in a bucket: imported from there, got from there, and read from there by the nodes of a cluster.

`make test-store` starts moto, a server that speaks S3's protocol, in an environment of its own, and then this: a raw
archive and a dataset are put into a bucket, `datasets import`, `datasets get` and `run --ray local --data-from` take
them from there, and what comes is compared with what this machine has. What cannot be had must be told in one sentence.
Prints what was done; fails where anything is other than it should be.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.datasets.importing import import_dataset
from core.workspace import Workspace, open_workspace
from tests.cluster.content import told_apart
from tests.cluster.nodes import REPO, wait_until

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
ARCHIVE_SUBJECTS, ROWS = 6, 4000
COUNT = 6
KEYS = {"AWS_ACCESS_KEY_ID": "key-of-a-test", "AWS_SECRET_ACCESS_KEY": "secret-of-a-test"}


def main() -> int:
    """Returns 1 where anything is wrong."""
    root = Path(tempfile.mkdtemp(prefix="test-store-"))
    problems: list[str] = []
    try:
        with _server(root / "server.log") as address:
            _check(
                root, {**os.environ, **KEYS, "AWS_ENDPOINT_URL": address, "AWS_DEFAULT_REGION": "us-east-1"}, problems
            )
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for problem in problems:
        print(f"WRONG: {problem}")
    print("all as it should be" if not problems else f"{len(problems)} wrong")
    return 1 if problems else 0


@contextmanager
def _server(log: Path) -> Generator[str]:
    """A server of S3, at its address. It writes a line for each request."""
    command = [REPO / ".store" / "bin" / "moto_server", "-H", "127.0.0.1", "-p", "0"]
    with log.open("wb") as file:
        server = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: _ADDRESS.search(log.read_text()) is not None, server, 120)
        address = _ADDRESS.search(log.read_text())
        assert address is not None, log.read_text()
        yield address[0]
    finally:
        server.kill()
        server.wait()


def _check(root: Path, environ: Mapping[str, str], problems: list[str]) -> None:
    here = _workspace(root / "here")
    bucket = _filled(root, here, environ)

    def expect(what: str, holds: bool) -> None:
        print(f"{'  ' if holds else 'NOT '}{what}", flush=True)
        if not holds:
            problems.append(what)

    there = _workspace(root / "there")
    started = time.monotonic()
    _ended(there, environ, "datasets", "import", "mhealth", f"{bucket}/raw/mhealth.zip")
    same = _files(there.data / "mhealth") == _files(here.data / "mhealth")
    expect(f"an archive in a bucket is imported as one here ({time.monotonic() - started:.0f} s)", same)
    started = time.monotonic()
    _ended(there, environ, "datasets", "get", f"{bucket}/datasets/demo")
    same = _files(there.data / "demo") == _files(here.data / "demo")
    expect(f"a dataset of 420 sessions is got ({time.monotonic() - started:.0f} s)", same)
    for name, url in (("folder", f"{bucket}/datasets/demo"), ("archive", f"{bucket}/datasets/demo.tar.gz")):
        workspace = _workspace(root / name)
        shutil.copytree(here.data / "demo", workspace.data / "demo")
        told = _run_on_cluster(workspace, environ, url, root / f"nodes of {name}")
        ran = told_apart(here.threads, workspace.threads) == (COUNT, 0, 0)
        expect(f"nodes that read a {name} make the same threads", ran and f"read demo from {url}" in told)
    (workspace.data / "demo" / "subjects.json").write_text("{}")
    told = _run_on_cluster(workspace, environ, f"{bucket}/datasets/demo", root / "other nodes")
    expect("another dataset is refused by the file that differs", "subjects.json differs there" in told)
    for sentence, changes, url in (
        ("there is no such bucket", {}, "s3://nowhere/x"),
        ("nothing is there", {}, f"{bucket}/nothing"),
        ("no credentials that can be used", {**dict.fromkeys(KEYS, ""), "AWS_EC2_METADATA_DISABLED": "true"}, bucket),
        ("nobody answers there", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, f"{bucket}/x"),
    ):
        told = _command(there, {**environ, **changes}, "datasets", "get", url, "--name", "x")[1]
        expect(f"it is told: {told.strip()}", sentence in told and told.count("\n") == 1)
    secret = KEYS["AWS_SECRET_ACCESS_KEY"].encode()
    expect("the key is in no file", not any(secret in path.read_bytes() for path in root.rglob("*") if path.is_file()))


def _filled(root: Path, here: Workspace, environ: Mapping[str, str]) -> str:
    """A bucket with a raw archive, a dataset, and the dataset in an archive; what is made of them here without one."""
    raw = root / "raw"
    raw.mkdir()
    for subject in range(1, ARCHIVE_SUBJECTS + 1):
        rows = ("\t".join([*([f"{subject}.{row % 97}"] * 23), str(row // 1000 + 1)]) + "\n" for row in range(ROWS))
        (raw / f"mHealth_subject{subject}.log").write_text("".join(rows))
    archive = shutil.make_archive(str(root / "mhealth"), "zip", raw)
    import_dataset(here, "mhealth", Path(archive))
    import_dataset(here, "demo")
    packed = shutil.make_archive(str(root / "demo"), "gztar", here.data, "demo")
    _ended(here, environ, "run", *_asked())
    bring = (
        "import sys, fsspec; system = fsspec.filesystem('s3'); system.mkdir('bucket'); "
        "[system.put(path, f'bucket/{name}', recursive=True) for path, name in zip(sys.argv[1::2], sys.argv[2::2])]"
    )
    pairs = [archive, "raw/mhealth.zip", packed, "datasets/demo.tar.gz", str(here.data / "demo"), "datasets/demo"]
    subprocess.run([sys.executable, "-c", bring, *pairs], env=dict(environ), check=True)
    return "s3://bucket"


def _run_on_cluster(workspace: Workspace, environ: Mapping[str, str], url: str, base: Path) -> str:
    """What a run on workers that have nothing yet tells."""
    nodes = {**environ, "TMPDIR": str(base), "RAY_TMPDIR": tempfile.gettempdir()}  # whose sockets need short paths
    base.mkdir()
    return _command(workspace, nodes, "run", *_asked(), "--ray", "local", "--data-from", url)[1]


def _asked() -> list[str]:
    return ["--dataset", "demo", "--count", str(COUNT), "--seed", "3", "--evidence", "measure"]


def _command(workspace: Workspace, environ: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tui", *arguments, "--workspace", str(workspace.root)]
    ended = subprocess.run(command, cwd=REPO, env=dict(environ), capture_output=True, text=True)
    return ended.returncode, ended.stderr


def _ended(workspace: Workspace, environ: Mapping[str, str], *arguments: str) -> None:
    code, told = _command(workspace, environ, *arguments)
    if code:
        raise SystemExit(f"{' '.join(arguments)} ended with {code}: {told[-3000:]}")


def _workspace(root: Path) -> Workspace:
    root.mkdir()
    return open_workspace(str(root), environ={})


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    sys.exit(main())
