"""Bases in: any spreadsheet or text file is looked at, rehearsed, and loaded; each row gets its verdict.

Whatever touches the file runs in a worker of its own (``work``), at low priority and within limits; the database gets
rows that are ready to be copied (``dialer.store.bases``).
"""

from dialer.intake.load import Loaded, Report, load, load_file, look, rehearse
from dialer.intake.plan import Plan
from dialer.intake.rows import Rejected
from dialer.intake.verdicts import read

__all__ = ["Loaded", "Plan", "Rejected", "Report", "load", "load_file", "look", "read", "rehearse"]
