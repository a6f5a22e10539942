"""Whom a campaign means as of a position of the log, and why who of them gets no mail: for snapshots and previews."""
