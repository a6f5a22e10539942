"""Measures the service against its goals and against what the machine can do: ``python -m bench``."""
