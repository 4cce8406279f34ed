"""Who runs first when a processor is short: Asterisk by its ``highpriority``, then the service, then everybody else."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger(__name__)

#: The lowest of the real-time priorities: above every usual process, below Asterisk's 10.
PRIORITY = 1


@contextmanager
def real_time() -> Iterator[None]:
    """This thread at real-time priority while it lasts, so that who answers is not kept waiting by a load or a report.

    Threads and processes begun meanwhile have the usual priority. Where the system does not allow it (it takes
    ``CAP_SYS_NICE`` or an ``rtprio`` limit) everything works as well, less evenly, and the log and the page "System"
    say so.
    """
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except PermissionError:
        log.info("priority.usual", remedy="Give the service CAP_SYS_NICE, or LimitRTPRIO=1 in its unit.")
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)


def is_real_time() -> bool:
    """Whether the thread that asks has it."""
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_RR
