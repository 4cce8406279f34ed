"""Errors of the dialer: each has a stable code for programs, a sentence for people, and what to do about it.

DialerError
├── Refused          a request that is understood and not done (HTTP 409 or 422)
│   └── NotFound     there is no such thing, or it is not yours (HTTP 404)
├── Misconfigured    the service cannot start like this (exit code 2)
├── StoreDown        PostgreSQL does not answer; nothing is known to be saved
├── LeaseLost        another engine dials on this switch now
├── NotYet           the service has begun and does not know yet what is asked
└── FactRefused      the database refuses a fact by a constraint; nothing of its transaction is stored
    └── OperatorConflict   an operator would have been bridged to two callees
"""

from __future__ import annotations


class DialerError(Exception):
    """Base of all. ``code`` is stable; ``remedy`` is one sentence."""

    def __init__(self, code: str, message: str, *, remedy: str = "", **data: object) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.data = data


class Refused(DialerError):
    """A request that is understood and not done."""


class NotFound(Refused):
    """There is no such thing, or it is not yours."""


class Misconfigured(DialerError):
    """The service cannot start like this."""


class StoreDown(DialerError):
    """PostgreSQL does not answer; nothing is known to be saved."""


class LeaseLost(DialerError):
    """Another engine dials on this switch now."""


class NotYet(DialerError):
    """The service has begun and does not know yet what is asked; ask again in a moment."""


class FactRefused(DialerError):
    """The database refuses a fact by a constraint; nothing of its transaction is stored. ``constraint`` in ``data``."""


class OperatorConflict(FactRefused):
    """An operator would have been bridged to two callees: the index ``one_callee_per_operator`` refused it."""
