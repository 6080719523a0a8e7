"""The tools of a session for any agent that speaks MCP, the Model Context Protocol: over standard input, or HTTP on
this computer.

No label is in reach of a client: not in a tool, a result or an error. What a server is asked to carry out is sensor
tools alone; files are written only where a person asked for a record.
"""
