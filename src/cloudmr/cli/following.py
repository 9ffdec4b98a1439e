"""A job on the screen until it has ended: a bar on a terminal, a line for each news elsewhere, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cloudmr.cli.layout import printable
from cloudmr.cli.views import progress_text

if TYPE_CHECKING:
    from cloudmr.client.answers import Job, Progress
    from cloudmr.client.brain import BrainClient

Show = Callable[[str, int, int], object]
"""Shows how far a job is: in words, done, total (0: not known)."""


def watch(brain: BrainClient, job_id: str) -> Job:
    """Follow a job until it has ended and return it as it ended."""
    from cloudmr.client.answers import Job, JobEvent, Progress

    last: Job | None = None
    with _shown() as show:
        for news in brain.follow(job_id):
            match news:
                case Job():
                    last = news
                    show(*_of_job(news))
                case Progress():
                    show(*_of_progress(news))
                case JobEvent():
                    pass  # the state that comes with it says the same
    return last if last is not None and last.has_ended else brain.job(job_id)


def _of_job(job: Job) -> tuple[str, int, int]:
    if job.has_ended:
        return job.status, 1, 1
    if job.progress is not None:
        return _of_progress(job.progress)
    return (f"{job.status}: {job.waiting_reason}" if job.waiting_reason else str(job.status)), 0, 0


def _of_progress(progress: Progress) -> tuple[str, int, int]:
    return progress.message or progress.step, progress.done, progress.total


@contextmanager
def _shown() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _as_lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console) as bar:
        task = bar.add_task("waiting", total=None)

        def show(words: str, done: int, total: int) -> None:
            bar.update(task, description=printable(words))
            if total:
                bar.update(task, completed=done, total=total)

        yield show


def _as_lines() -> Show:
    """Return what prints a line whenever it is another than the one before."""
    shown: list[str] = []

    def show(words: str, done: int, total: int) -> None:
        line = printable(progress_text(done, total, words))
        if shown[-1:] != [line]:
            shown[:] = [line]
            typer.echo(line, err=True)

    return show
