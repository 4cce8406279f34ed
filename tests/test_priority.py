"""The service goes before what can wait, and what it begins does not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from dialer import priority

ASKS = "import os; print(os.sched_getscheduler(0))"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be sure of it")
def test_the_service_has_real_time_priority_and_its_threads_and_processes_have_not():
    policies = []
    with priority.real_time():
        assert priority.is_real_time()
        thread = threading.Thread(target=lambda: policies.append(os.sched_getscheduler(0)))
        thread.start()
        thread.join()
        policies.append(int(subprocess.check_output([sys.executable, "-c", ASKS])))
    assert policies == [os.SCHED_OTHER, os.SCHED_OTHER]
    assert not priority.is_real_time()


def test_where_it_is_not_allowed_the_service_runs_all_the_same(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with priority.real_time():
        assert not priority.is_real_time()
