"""A session as an episode of reinforcement learning: a task, the tools on it, and a score of what was made of it.

Nothing here imports a screen, a client of a model or a network, writes a thread, or shows a label in a message, a
schema or a result.
"""
