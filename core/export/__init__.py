"""Training files: which threads leave, in what form, and the proof that a trainer can use them.

It reads threads and writes under the exports folder only; what a list or a filter is, it asks their rooms.
"""
