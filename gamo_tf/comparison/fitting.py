"""How much of a comparison fits its time: splits, methods and lengths are cut to it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from gamo_tf.comparison.costs import Costs, kind_of
from gamo_tf.comparison.plan import Plan, by_importance
from gamo_tf.config.options import Options, spec_of
from gamo_tf.errors import UserError, setting

_FEWEST = 200  # updates of M that are worth a comparison
_SPLITS, _FEWEST_SPLITS = 3, 2  # that are kept before methods go, and after that
_METHODS, _FEWEST_METHODS = 4, 2  # that are kept before splits go, and after that
_REPORTING = 4.0  # seconds of tests and files at the end
_FILLED = 0.9  # of the time that is given: measurements are not exact


# Where nothing else is asked for. Vectors are those of tables and of frozen networks.
_BUDGETS = {"images": "15m", "vectors": "5m"}
_PART = re.compile(r"(\d+(?:\.\d+)?)([smh])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A duration as people write it.

    Args:
      text: such as ``30m``, ``1h30m`` or ``90s``.

    Raises:
      UserError: it is no duration.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UserError(f"{setting('budget')} {text}: expected such as 30m or 1h30m.")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def default_budget(options: Options) -> str:
    """How long a comparison may take where nothing is asked for.

    Args:
      options: of one of its trainings.
    """
    quick = spec_of(options).vector or options.features_once
    return _BUDGETS["vectors" if quick else "images"]


@dataclass(frozen=True)
class Fit:
    """A plan that fits, and what it lacks to the one that was asked for.

    Attributes:
      plan: what will be trained.
      seconds: of all of it, with what was spent before.
      dropped: what is not trained, in words; empty if nothing is dropped.
      at_least: seconds that all methods and splits need at the same length.
      in_full: seconds of all that was asked for.
    """

    plan: Plan
    seconds: float
    dropped: str
    at_least: float
    in_full: float


def seconds_left(costs: Costs, plan: Plan) -> float:
    """Seconds that a plan still takes: start, trainings, tests and report.

    Args:
      costs: of its methods.
      plan: of the comparison.
    """
    each = {method: _seconds(costs, plan, method) for method in plan.methods}
    jobs = [each[job.method] for job in plan.jobs_left()]
    if not jobs:
        return _REPORTING
    kinds = {kind_of(method) for method in plan.methods} & set(costs.kinds)
    cold = sum(
        max(costs.kinds[kind].compiling - costs.kinds[kind].recompiling, 0.0)
        for kind in kinds
    )
    workers = min(plan.at_once, len(jobs))
    # The last training runs alone for a while, half of it on average.
    alone = max(jobs) / 2 if workers > 1 else 0.0
    busy = max(sum(jobs) / workers + alone, max(jobs))
    return costs.starting + cold + busy + _REPORTING


def _seconds(costs: Costs, plan: Plan, method: str) -> float:
    """Seconds of a training of a method in a process that has compiled it before."""
    kind = kind_of(method)
    if kind in costs.peers:
        return costs.peers[kind]
    cost = costs.kinds[kind]
    iterations = plan.training(method)["iterations"]
    return costs.others + cost.recompiling + cost.running(iterations)


def fit(
    costs: Costs,
    asked: Plan,
    budget: float,
    spent: float,
    explicit: Collection[str],
) -> Fit:
    """Cut a plan to a time.

    Trainings become shorter first, down to a floor. Then splits are dropped, then
    methods by importance, then the third split. Explicit methods, splits and lengths
    are kept, unless the time is explicit too.

    Args:
      costs: of its methods.
      asked: all that was asked for.
      budget: seconds that all may take.
      spent: seconds of these that are spent already.
      explicit: those of "methods", "seeds", "iterations" and "budget" that the user
        chose.

    Raises:
      UserError: the time is explicit and not even two methods on two splits fit.
    """
    floor = asked.updates
    if "iterations" not in explicit:
        floor = min(_FEWEST, asked.updates)
    left = _FILLED * budget - spent

    def seconds(plan: Plan) -> float:
        return seconds_left(costs, plan)

    plan = shortest = replace(asked, updates=floor)
    for plan in _smaller(shortest, explicit):
        if seconds(plan) <= left:
            break
    else:
        if "budget" in explicit:
            names = " and ".join(plan.methods)
            raise UserError(
                f"{setting('budget')}: even {names} on {plan.seeds} splits take about "
                f"{time_text(spent + seconds(plan))}; give "
                f"{budget_text(spent + seconds(plan))} or more."
            )
    plan = _longest(costs, replace(plan, updates=asked.updates), floor, left)
    same_length = replace(asked, updates=plan.updates)
    return Fit(
        plan,
        spent + seconds(plan),
        _dropped(asked, plan),
        spent + seconds(same_length),
        spent + seconds(asked),
    )


def _smaller(plan: Plan, explicit: Collection[str]) -> Iterator[Plan]:
    """A plan and smaller ones, each of which lacks more than the one before."""
    ranked = by_importance(plan.methods)
    free = {"seeds", "methods"} - set(explicit)
    rounds = [free]
    if "budget" in explicit and free != {"seeds", "methods"}:
        rounds.append({"seeds", "methods"})
    yield plan
    for names in rounds:
        for splits, methods in ((_SPLITS, _METHODS), (_FEWEST_SPLITS, _FEWEST_METHODS)):
            while "seeds" in names and plan.seeds > splits:
                plan = replace(plan, seeds=plan.seeds - 1)
                yield plan
            while "methods" in names and len(plan.methods) > methods:
                kept = ranked[: len(plan.methods) - 1]
                plan = replace(plan, methods=[m for m in plan.methods if m in kept])
                yield plan


def _longest(costs: Costs, plan: Plan, floor: int, left: float) -> Plan:
    """The plan with the longest trainings that fit, between a floor and its own.

    Args:
      costs: of its methods.
      plan: its length is the most.
      floor: updates of M; it is taken even if it does not fit.
      left: seconds.
    """

    def fits(updates: int) -> bool:
        return seconds_left(costs, replace(plan, updates=updates)) <= left

    low, high = floor, plan.updates
    if low == high or fits(high):
        return plan
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    digits = 10 ** max(0, len(str(low)) - 2)
    return replace(plan, updates=max(floor, low // digits * digits))


def _dropped(asked: Plan, plan: Plan) -> str:
    """What of the plan that was asked for is not in another, in words."""
    parts = []
    if plan.seeds < asked.seeds:
        parts.append(f"{asked.seeds - plan.seeds} of {asked.seeds} splits")
    gone: Sequence[str] = [m for m in asked.methods if m not in plan.methods]
    if gone:
        parts.append(f"{'methods' if len(gone) > 1 else 'method'} {', '.join(gone)}")
    return " and ".join(parts)


def cuts(asked: Plan, fit: Fit, budget: str) -> list[str]:
    """What was cut to fit the time, and what all of it would need, a line each.

    Args:
      asked: all that was asked for.
      fit: of `fit`.
      budget: the time, as the user wrote it.
    """

    def all_of_it(seconds: float) -> str:
        give = f"give {setting('budget')} {budget_text(seconds)}"
        # Measurements are not exact: a budget needs some reserve.
        return f"needs about {time_text(seconds / _FILLED)}: {give}."

    said = []
    if fit.dropped:
        said.append(
            f"Dropped to fit {budget}: {fit.dropped}. All of it "
            f"{all_of_it(fit.at_least)}"
        )
    if fit.plan.updates < asked.updates:
        said.append(
            f"Shortened to fit {budget}: trainings of {fit.plan.updates} updates "
            f"instead of {asked.updates}. Full length {all_of_it(fit.in_full)}"
        )
    if fit.seconds > seconds_of(budget):
        said.append(
            f"This takes longer than {budget}. It is the least that keeps what you "
            "chose."
        )
    return said


def time_text(seconds: float) -> str:
    """A duration for people: ``45s``, ``4m05s`` or ``2h10m``.

    Args:
      seconds: the duration.
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def budget_text(seconds: float) -> str:
    """A budget that some seconds fit into, as `seconds_of` reads it: ``9m``.

    Args:
      seconds: of a comparison.
    """
    minutes = max(1, math.ceil(seconds / _FILLED / 60))
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02d}m" if hours else f"{minutes}m"
