"""Large jobs on all cores, with results in order.

It knows nothing of threads: who asks hands over the function that does the work.
"""
