"""Where the time of an import of one's own tables goes: looking, reading and cutting, writing.

`python -m tests.bench.import_parts --people 24`. Prints seconds of a core, which another program on the machine changes
little: docs/cluster.md says from them what an import on several machines could save.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from core.datasets.archive import open_raw
from core.datasets.importing import import_dataset
from core.datasets.plan import ImportOptions, NewSession
from core.datasets.staging import write_session
from core.datasets.standard import SESSIONS
from core.datasets.tables.importer import IMPORTER
from core.workspace import open_workspace
from tests.phone import phone_recording


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=24, help="each with a phone's recording of four minutes")
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for number in range(people):
            phone_recording(root / "raw" / f"s{number:03d}" / "phone", 60.0)
        size = sum(path.stat().st_size for path in (root / "raw").rglob("*.csv"))
        clock = time.process_time
        (root / "written" / SESSIONS).mkdir(parents=True)
        with open_raw(root / "raw", root / "scratch") as raw:
            began = clock()
            plan = IMPORTER.plan(raw, ImportOptions())
            looked, cut, written, count = clock() - began, 0.0, 0.0, 0
            for unit in plan.units:
                began = clock()
                sessions = [each for each in unit.sessions(Counter()) if isinstance(each, NewSession)]
                cut += clock() - began
                began = clock()
                for session in sessions:
                    write_session(root / "written" / SESSIONS, session)
                written += clock() - began
                count += len(sessions)
        began = clock()
        import_dataset(open_workspace(folder, environ={}), "table", root / "raw", name="whole")
        whole = clock() - began
    print(f"{size / 1e6:.0f} MB of CSV, {count} sessions; seconds of a core")
    for what, seconds in (("look", looked), ("read and cut", cut), ("write", written), ("the whole import", whole)):
        print(f"  {what:18} {seconds:6.1f}")


if __name__ == "__main__":
    main()
