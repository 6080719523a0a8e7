"""Large jobs on all cores, with results in order.

It knows nothing of threads: who asks names the function that does the work.
"""
