"""The command line: one module per command. Arguments in, a core function, text or JSON out."""
