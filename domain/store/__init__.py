"""The log: the only part of the domain that does I/O."""
