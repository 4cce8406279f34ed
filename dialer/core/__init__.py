"""Decisions: pure functions of (state, event, now). No I/O, no clock, no chance of their own."""
