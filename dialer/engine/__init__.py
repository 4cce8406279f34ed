"""Runs the decisions of ``core`` against the switch and the store."""
