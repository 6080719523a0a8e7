"""The sensor tools a model may call: pure functions over a session's windows."""
