"""What the first run on a new dataset waits for, its tables and its references, with one core and with all, and what
the next start does.

    python -m tests.bench.first_run --sessions 3740

The dataset is made: so many windows of 4 s at 50 Hz in six channels, of 17 people.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure, table

PEOPLE = 17
LABELS = ("walking", "running", "standing", "laying")


def figures(folder: Path, sessions: int) -> list[Figure]:
    """Make the dataset in an empty folder and measure it; each start is a process of its own."""
    _make(folder, sessions)
    cores = len(os.sched_getaffinity(0))
    alone = _started(folder, 1, anew=True)
    together = _started(folder, cores, anew=True) if cores > 1 else alone
    again = _started(folder, cores)
    rows = [
        Figure(f"the first run on {sessions:,} sessions, one core: features", f"{alone['features']:.1f} s"),
        Figure("… measurements, of 12 sessions of each label and person", f"{alone['measurements']:.1f} s"),
        Figure("… memory", f"{alone['memory_mb']:.0f} MB"),
    ]
    for name in ("features", "measurements"):
        rows.append(
            Figure(
                f"the same, {cores} cores: {name}",
                f"{alone[name] / together[name]:.2f} × as fast ({together[name]:.1f} s)",
            )
        )
    rows += [
        Figure("a reference, fitted", f"{together['reference_ms']:.0f} ms for each person left out"),
        Figure("the next start: both tables", f"{again['features'] + again['measurements']:.2f} s"),
        Figure("… a reference", f"{again['reference_ms']:.1f} ms"),
    ]  # fmt: skip
    return rows


def _make(folder: Path, sessions: int) -> None:
    from tests.tools.made import made_dataset, write_dataset

    dataset = made_dataset(PEOPLE, -(-sessions // (PEOPLE * len(LABELS))), LABELS)
    for session in list(dataset.windows)[sessions:]:
        del dataset.windows[session], dataset.labels[session], dataset.subjects[session]
    write_dataset(folder / "data" / dataset.name, dataset)


def _started(folder: Path, cores: int, *, anew: bool = False) -> dict[str, float]:
    """What a process of its own measured on so many cores."""
    if anew:
        shutil.rmtree(folder / ".sensorloom" / "features", ignore_errors=True)
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.first_run", "--measure", str(folder), "--cores", *map(str, allowed)],
        check=True, capture_output=True, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    return json.loads(told.stdout)


def _measured(folder: Path) -> dict[str, float]:
    from core.datasets.standard import open_dataset
    from core.workspace import open_workspace
    from tools.features import DURATION
    from tools.fitted import reference_for

    dataset = open_dataset(open_workspace(str(folder), environ={}), "made")
    begun = time.perf_counter()
    features = dataset.features()
    computed = time.perf_counter()
    dataset.measurements()
    measured = time.perf_counter()
    columns = [name for name in features.names if name != DURATION]
    of_each = {subject: session for session, subject in dataset.subjects.items()}
    for session in of_each.values():
        reference_for(dataset, session, columns)  # pyright: ignore[reportArgumentType]
    return {
        "features": computed - begun,
        "measurements": measured - computed,
        "reference_ms": (time.perf_counter() - measured) / len(of_each) * 1000,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=3740)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        os.sched_setaffinity(0, options.cores)
        print(json.dumps(_measured(options.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(table(figures(Path(folder), options.sessions)))


if __name__ == "__main__":
    main()
