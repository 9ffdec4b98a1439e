from __future__ import annotations

import threading

import httpx
import pytest

from cloudmr.worker.progress import ProgressReporter
from mroptimum.run import Progress


def step(number: int) -> Progress:
    return Progress(step="read", done=number, total=100, message="reading")


class SlowBrain:
    """Hears the first report only when it is let."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.is_hearing = threading.Event()
        self.may_go_on = threading.Event()

    def __call__(self, progress: Progress) -> None:
        self.is_hearing.set()
        assert self.may_go_on.wait(30)
        self.heard.append(progress.done)


def test_what_comes_too_fast_is_passed_over_but_not_the_last() -> None:
    brain = SlowBrain()
    with ProgressReporter(brain, interval_s=0) as reporter:
        reporter.report(step(0))
        assert brain.is_hearing.wait(30)
        for number in range(1, 100):
            reporter.report(step(number))
        brain.may_go_on.set()
    assert brain.heard == [0, 99]


def test_the_last_report_does_not_wait_for_its_turn() -> None:
    heard: list[int] = []
    has_heard = threading.Event()

    def hear(progress: Progress) -> None:
        heard.append(progress.done)
        has_heard.set()

    # With an interval of a day the second report could only be sent because the reporter is left.
    with ProgressReporter(hear, interval_s=86_400) as reporter:
        reporter.report(step(1))
        assert has_heard.wait(30)
        reporter.report(step(2))
    assert heard == [1, 2]


def test_without_news_nothing_is_sent() -> None:
    heard: list[int] = []
    with ProgressReporter(lambda progress: heard.append(progress.done)):
        pass
    assert heard == []


def test_a_brain_that_does_not_hear_harms_nobody() -> None:
    tried: list[int] = []

    def fail(progress: Progress) -> None:
        tried.append(progress.done)
        raise httpx.ConnectError("nobody there")

    with ProgressReporter(fail, interval_s=0) as reporter:
        reporter.report(step(1))
    with ProgressReporter(fail, interval_s=0) as reporter:
        reporter.report(step(2))
    assert tried == [1, 2]


def test_an_error_of_the_job_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), ProgressReporter(lambda progress: None):
        raise ZeroDivisionError
