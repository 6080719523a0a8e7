"""How much memory and time the import of a long recording needs: `make bench-long`, `ARGS="--hours 1 --form parquet"`.

A recording at 100 Hz in nine channels is written in the form asked for, and imported by the command in a process
of its own, whose peak is told.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 100
NAMES = ["time", *(f"{sensor}_{axis}" for sensor in ("acc", "gyro", "mag") for axis in "xyz"), "activity"]
_RUN = "import sys; from core.cli.commands import run_command; sys.exit(run_command(sys.argv[1:]))"
BLOCK = 360_000
"""An hour's rows."""


def blocks(hours: float) -> Any:
    """Arrow tables of an hour each, of which a quarter has no label."""
    import pyarrow as pa

    draw = np.random.default_rng(1)
    rows = round(hours * 3600 * RATE_HZ)
    for at in range(0, rows, BLOCK):
        number = np.arange(at, min(at + BLOCK, rows))
        times = 1698501144000000000 + number * 10_000_000 + draw.integers(-200_000, 200_000, len(number))
        samples = [np.round(draw.normal(9.8 if k == 2 else 0, 1 + k // 3, len(number)), 5) for k in range(9)]
        labels = np.array(["sitting", "walking", "", "lying"])[number // 60_000 % 4]
        yield pa.table([times, *samples, labels], names=NAMES)


def write(path: Path, hours: float) -> None:
    """The recording, in the form that the file's name says."""
    from pyarrow import csv, parquet

    writer: Any = None
    with path.open("wb") as file:
        for number, table in enumerate(blocks(hours)):
            if path.suffix == ".parquet":
                writer = writer or parquet.ParquetWriter(file, table.schema)
                writer.write_table(table)
            elif path.suffix == ".csv":
                csv.write_csv(table, file, csv.WriteOptions(include_header=not number))
            else:
                file.writelines(json.dumps(row).encode() + b"\n" for row in table.to_pylist())
        if writer:
            writer.close()


def main() -> None:
    """Write, import, tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--form", choices=["csv", "parquet", "jsonl"], default="csv")
    parser.add_argument("--keep-whole", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"day.{asked.form}"
        write(path, asked.hours)
        began = time.monotonic()
        options = ["--yes", "--workspace", folder, *(["--keep-whole"] if asked.keep_whole else [])]
        command = [sys.executable, "-c", _RUN, "datasets", "import", "table", str(path), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{asked.hours:g} h, {path.stat().st_size / 1e6:.0f} MB {asked.form}: {seconds:.0f} s, {peak:.0f} MB")


if __name__ == "__main__":
    main()
