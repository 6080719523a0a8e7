"""Other processes of ours: large jobs on all cores with results in order, and ones that are talked with.

It knows nothing of threads: who asks hands over the function that does the work.
"""
