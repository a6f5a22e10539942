"""Logs of millions of events, as years of use would leave them, written in minutes.

Deciders decide every event, the store's own code seals, encodes and appends it. What is left out is only to load from
the log what the writer has in its hands anyway.
"""
