"""What of a comparison fits its time, and what is dropped first."""

from dataclasses import replace

import pytest

from gamo_tf.cli.trial import Cost
from gamo_tf.comparison import fitting, plan
from gamo_tf.comparison.costs import Costs, kind_of
from gamo_tf.comparison.peers import PEERS
from gamo_tf.comparison.plan import Plan, default_methods
from gamo_tf.config.dataset_specs import user_spec
from gamo_tf.errors import UserError, speaking_to

IMAGES = user_spec("photos", (32, 32, 3), ("a", "b"), (90, 10))
TABLE = user_spec("table", (4,), ("a", "b"), (90, 10))


@pytest.fixture
def photos(tmp_path) -> Plan:
    return Plan({}, default_methods(IMAGES), 5, 4000, tmp_path, 2, tmp_path)


def costs_of(some: Plan, iteration: float = 0.01) -> Costs:
    kinds = {kind_of(method) for method in some.methods}
    peers = kinds & set(PEERS)
    cost = Cost(6.0, iteration, 0.0, 10, 500, 3.0)
    return Costs(
        dict.fromkeys(kinds - peers, cost), dict.fromkeys(peers, 1.0), 2.0, 5.0
    )


def test_all_is_kept_where_it_fits(photos):
    found = fitting.fit(costs_of(photos), photos, 1e9, 30.0, set())
    assert found.plan == photos and found.dropped == ""
    assert found.seconds == found.at_least == found.in_full
    # By hand: 30 trainings, 5 of them with half the iterations, two at a time.
    each = 2.0 + 3.0 + 40.0
    busy = (25 * each + 5 * (each - 20.0)) / 2
    last = each / 2
    cold = 3 * 3.0  # three kinds of methods are compiled
    assert found.seconds == pytest.approx(30 + 5 + cold + busy + last + 4)


def test_lengths_go_first_then_splits_then_methods(photos):
    costs = costs_of(photos)
    seen = []
    for budget in (700, 300, 200, 150, 120, 100, 80, 60):
        found = fitting.fit(costs, photos, budget, 10.0, set())
        shorter = found.plan.updates < photos.updates
        methods = len(found.plan.methods)
        seen.append((found.plan.updates, found.plan.seeds, methods))
        assert shorter and (found.seconds <= 0.9 * budget or methods == 2)
    assert seen[0][0] > seen[1][0] > 200  # shorter
    assert seen[0][1:] == seen[1][1:] == (5, 6)
    splits = [seeds for _, seeds, _ in seen]
    assert splits == sorted(splits, reverse=True) and 3 in splits and splits[-1] == 2
    for _, seeds, methods in seen:
        assert methods == 6 or seeds <= 3
        assert methods >= 4 or seeds == 2


def test_the_important_methods_stay_last(photos, tmp_path):
    assert plan.by_importance(photos.methods)[:2] == ["cn", "balanced-pairs"]
    table = plan.by_importance(default_methods(TABLE))
    assert table[:4] == ["cn", "balanced-pairs", "boosting", "smote+boosting"]
    # Without cn, the plain one of the others goes first; strangers go last.
    assert plan.by_importance(["focal", "smote+logistic", "logistic"]) == [
        *("logistic", "smote+logistic", "focal")
    ]
    least = fitting.fit(costs_of(photos), photos, 1.0, 0.0, set()).plan
    assert least.methods == ["cn", "balanced-pairs"] and least.seeds == 2


@pytest.mark.parametrize("explicit", ["methods", "seeds", "iterations"])
def test_what_is_explicit_is_kept_where_the_time_is_not(photos, explicit):
    found = fitting.fit(costs_of(photos), photos, 20.0, 0.0, {explicit}).plan
    assert (found.methods == photos.methods) == (explicit == "methods")
    assert (found.seeds == photos.seeds) == (explicit == "seeds")
    assert (found.updates == photos.updates) == (explicit == "iterations")


def test_an_explicit_time_goes_before_explicit_methods_and_splits(photos):
    explicit = {"methods", "seeds", "budget"}
    found = fitting.fit(costs_of(photos), photos, 120.0, 0.0, explicit)
    assert found.plan.updates >= 200 and found.seconds <= 108
    assert "of 5 splits" in found.dropped
    with speaking_to("gamo"), pytest.raises(UserError) as refused:
        fitting.fit(costs_of(photos), photos, 2.0, 0.0, {"budget"})
    said = refused.value.message
    assert said.startswith("--budget: even cn and balanced-pairs on 2 splits take")
    least = fitting.seconds_of(said.split("give ")[1].split()[0])
    fitting.fit(costs_of(photos), photos, least, 0.0, {"budget"})  # as it says


@pytest.mark.parametrize("budget", [40.0, 90.0, 150.0, 400.0])
def test_the_budget_that_is_named_is_enough(photos, budget):
    costs = costs_of(photos)
    found = fitting.fit(costs, photos, budget, 20.0, set())
    with speaking_to("gamo"):
        lines = fitting.cuts(photos, found, f"{budget:.0f}s")
    assert lines and all("--budget " in line for line in lines[:1])
    named = [
        fitting.seconds_of(line.rsplit("--budget ", 1)[1].rstrip("."))
        for line in lines
        if "--budget " in line
    ]
    whole = fitting.fit(costs, photos, named[-1], 20.0, set())
    assert whole.plan == photos
    if found.dropped:
        wider = fitting.fit(costs, photos, named[0], 20.0, set())
        assert wider.dropped == ""


def test_what_is_done_takes_no_time(photos):
    costs = costs_of(photos)
    before = fitting.seconds_left(costs, photos)
    for job in photos.jobs()[:20]:
        job.folder.mkdir(parents=True)
        job.file.write_text("{}")
    assert fitting.seconds_left(costs, photos) < before / 2
    few = replace(photos, seeds=1)
    assert fitting.seconds_left(costs, few) < 5


def test_durations_in_words():
    said = [fitting.time_text(seconds) for seconds in (45, 245.2, 7800)]
    assert said == ["45s", "4m05s", "2h10m"]
    for seconds in (1, 59, 61, 3500, 7000, 86400):
        text = fitting.budget_text(seconds)
        assert 0.9 * fitting.seconds_of(text) >= seconds
