"""Bases in: read, normalise, load."""
