"""The command line, one module per command: arguments in, a function of `core`, text or JSON out.

Nothing is decided here that a key would have to decide again.
"""
