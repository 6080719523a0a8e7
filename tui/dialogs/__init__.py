"""What is asked before something is done: questions, options of an export, a new thread's question.

A dialog gives back a value; who opened it acts on it.
"""
