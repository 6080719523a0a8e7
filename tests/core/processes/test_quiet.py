"""What our processes print, and where it goes."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys
from core.processes.talking import started
from tests.core.processes.test_quiet import noisy

class Taken:
    '''Standard error as a full-screen program has it.'''
    def write(self, text): return len(text)
    def flush(self): pass
    def fileno(self): return -1

if __name__ == "__main__":
    if "screen" in sys.argv:
        sys.stderr = Taken()
    talking = started(noisy)
    assert talking.line.recv() == "over"
    talking.end(20)
"""


def noisy(line: Connection) -> None:
    """Says something in all ways there are."""
    print("printed", flush=True)
    os.write(2, b"complained")
    line.send("over")


@pytest.mark.parametrize(("screen", "told"), [("", "printed\ncomplained"), ("screen", "")])
def test_nothing_that_our_processes_print_gets_onto_a_screen_that_we_draw_on(screen: str, told: str) -> None:
    ran = subprocess.run([sys.executable, "-c", SCRIPT, screen], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout + ran.stderr == told
