"""Making turns: one turn, a run to its end, a batch, the tools that answer, the replay of what they answered.

Everything is told as events; nothing here draws, and saving goes through `core.curate`.
"""
