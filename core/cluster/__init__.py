"""Threads that are made on several machines, which Ray joins: `sensorloom run --ray ADDRESS`.

One program, the driver, begins each thread, gives it to a worker, and saves what comes back; no folder is shared. What
works without Ray is in modules of their own (`driver` is given a `Cluster`), and nothing here is imported by a run on
one machine.
"""
