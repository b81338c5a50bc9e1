"""All trainings of a comparison: some at a time, each once.

Several workers, and several ``gamo compare``, may be at work on one folder: each job
has a folder that is locked meanwhile. A killed comparison leaves whole records and
unfinished runs; the same command continues them.
"""

from __future__ import annotations

import time

from gamo_tf.cli.program import unforeseen
from gamo_tf.comparison.job import Job, train
from gamo_tf.comparison.plan import Plan
from gamo_tf.errors import Stopped, UserError
from gamo_tf.experiments.processes import in_own_processes
from gamo_tf.files import clock, locked

_BUSY = "another process is at work on it"


def run_all(plan: Plan) -> dict[str, str]:
    """Do what has not been done yet, in processes of their own.

    Args:
      plan: of the comparison.

    Returns:
      Methods that failed, with the reason.

    Raises:
      UserError: a process died before all was done.
      KeyboardInterrupt: after Ctrl-C, once all processes have ended.
    """
    workers = min(plan.at_once, len(plan.jobs_left()))
    failed: dict[str, str] = {}
    try:
        for by_worker in in_own_processes(work_off, [(plan,)] * workers, plan.threads):
            failed |= by_worker
    except UserError:
        if plan.jobs_left():
            raise  # else the other workers did what was left
    return failed


def work_off(plan: Plan) -> dict[str, str]:
    """What one process does: one job after the other, and at last those that killed
    processes had begun.

    Args:
      plan: of the comparison.

    Returns:
      Methods that failed, with the reason; no further job of theirs is begun.
    """
    failed: dict[str, str] = {}
    jobs = plan.jobs()
    began, known = time.monotonic(), _done(jobs)
    for busy in (_BUSY, ""):
        for job in jobs:
            if job.method in failed or job.read():
                continue
            job.folder.mkdir(parents=True, exist_ok=True)
            try:
                with locked(job.folder, busy):
                    if job.read():  # by another process, in the meantime
                        continue
                    train(plan.training(job.method), job, plan.data_dir)
            except UserError as err:
                if err.message == _BUSY:
                    continue
                failed[job.method] = err.message
            except Stopped:  # by Ctrl-C, and saved
                raise
            except Exception as err:  # a bug in one method is not in the others' way
                failed[job.method] = unforeseen(err)
            if job.method in failed:
                print(f"{job.method}: {failed[job.method]}", flush=True)
                continue
            done = _done(jobs)
            text = f"[{done}/{len(jobs)}] {_told(job)}"
            # Methods differ in their time: a split has to be complete for a guess.
            if done - known >= len(plan.methods):
                spent = time.monotonic() - began
                left = spent / (done - known) * (len(jobs) - done)
                text += f"; about {clock(left)} left"
            print(text, flush=True)
    return failed


def _done(jobs: list[Job]) -> int:
    return sum(job.file.exists() for job in jobs)


def _told(job: Job) -> str:
    found = job.read()
    assert found is not None
    acsa, seconds = found["test_full"]["acsa"], found["seconds"]
    return (
        f"{job.method}, seed {job.seed}: balanced accuracy {acsa:.3f}, {seconds:.0f} s"
    )
