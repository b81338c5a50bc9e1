"""All trainings of a comparison: some at a time, each once.

Several workers, and several ``gamo compare``, may be at work on one folder: each job
has a folder that is locked meanwhile. A killed comparison leaves whole records and
unfinished runs; the same command continues them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gamo_tf.cli.program import unforeseen
from gamo_tf.comparison.job import Job, train
from gamo_tf.comparison.plan import Plan
from gamo_tf.config.options import Options, spec_of
from gamo_tf.data import image_folder
from gamo_tf.errors import Stopped, UserError
from gamo_tf.files import clock, locked
from gamo_tf.grids.processes import in_own_processes
from gamo_tf.import_tensorflow import import_tensorflow

if TYPE_CHECKING:  # pandas, behind it, takes a while to import
    from gamo_tf.data.user_data import UserData

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


def extract_all(
    options: Options, user_data: UserData | None, data_dir: Path, seeds: int
) -> None:
    """Extract the features of all images once, for all trainings.

    Args:
      options: of a training behind the pretrained network.
      user_data: the user's data; None: a published dataset.
      data_dir: folder of the datasets' published files.
      seeds: of the splits of a published dataset.
    """
    import_tensorflow()
    from gamo_tf.data import load
    from gamo_tf.data.splits import split_of
    from gamo_tf.training.feature_stage import FeatureStage

    stage = FeatureStage(options)
    if user_data:
        arrays = user_data.arrays
        stage.extract(arrays.images, arrays.set_aside[0], arrays.test_images)
        return
    published = load.read(spec_of(options), data_dir)
    for seed in range(seeds):
        split = split_of(replace(options, seed=seed), published)
        stage.extract(split.images, split.validation_images, split.test_images)


def work_off(plan: Plan) -> dict[str, str]:
    """What one process does: one job after the other, and at last those that killed
    processes had begun.

    Args:
      plan: of the comparison.

    Returns:
      Methods that failed, with the reason; no further job of theirs is begun.
    """
    with image_folder.decoded_once():
        return _work_off(plan)


def _work_off(plan: Plan) -> dict[str, str]:
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
