"""Imported by what our processes are forked from, where a full-screen program starts it: nothing that they print, a
library's warning or a tool's `print`, gets to the terminal that it draws on."""

import os

_nowhere = os.open(os.devnull, os.O_RDWR)
for _standard in (0, 1, 2):
    os.dup2(_nowhere, _standard)
os.close(_nowhere)
