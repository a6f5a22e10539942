"""Talks HTTP with client applications and operators."""
