"""Bases in: a CSV file is read row by row, each row gets its verdict, and all accepted rows are loaded together."""

from dialer.intake.load import Loaded, load
from dialer.intake.rows import Rejected
from dialer.intake.verdicts import read

__all__ = ["Loaded", "Rejected", "load", "read"]
