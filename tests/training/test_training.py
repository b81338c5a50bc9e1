"""Losses, Adam, the average, and the loop, by hand."""

import signal

import keras
import numpy as np
import pytest
import tensorflow as tf

from gamo_tf.errors import Stopped, UserError
from gamo_tf.training import losses
from gamo_tf.training.best import Best
from gamo_tf.training.ema import ExponentialMovingAverage
from gamo_tf.training.loop import Monitor, ProgressBar, Schedule, run_loop
from gamo_tf.training.optimizer import FusedAdam, minimize
from gamo_tf.training.trainer import Trainer


def test_losses_by_hand():
    target, output = tf.constant([[1.0, 0.0]]), tf.constant([[0.75, 0.25]])
    assert float(losses.least_squares(target, output)) == pytest.approx(0.0625)
    assert float(losses.cross_entropy(target, output)) == pytest.approx(-np.log(0.75))
    assert float(losses.cross_entropy(target, 1 - target)) < 20  # finite
    targets = losses.class_targets(tf.constant([2]), 3)
    assert targets.one_hot.numpy().tolist() == [[0, 0, 1]]
    assert targets.complement.numpy().tolist() == [[1, 1, 0]]


def test_fused_adam_is_keras_adam():
    values = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    moved = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer, variable = kind(0.1, beta_1=0.5), keras.Variable(values)
        optimizer.build([variable])
        for k in range(4):
            optimizer.apply_gradients([(tf.constant(values) * (k - 1.5), variable)])
        moved.append(variable.numpy())
    np.testing.assert_allclose(*moved, rtol=1e-5)


def test_average_starts_short_and_lengthens():
    keras.utils.set_random_seed(0)
    player = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    average = ExponentialMovingAverage(player, 0.15)
    expected = player.get_weights()[0].item()
    for t, value in enumerate((1.0, 2.0, 3.0)):
        player.set_weights([np.full((1, 1), value), np.zeros(1)])
        average.update()
        decay = min(0.15, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * value
    assert average.network.get_weights()[0].item() == pytest.approx(expected)


def test_minimize_moves_the_named_variables_only():
    a, b = keras.Variable([2.0]), keras.Variable([3.0])
    optimizer = FusedAdam(0.1)
    optimizer.build([a])
    value = minimize([(optimizer, [a])], lambda: tf.reduce_sum(a.value * b.value))
    assert float(value) == 6.0
    assert a.numpy() == pytest.approx(1.9, abs=1e-4) and b.numpy() == 3.0


# ---- the loop ------------------------------------------------------------------


class Counter(Trainer):
    """Counts its steps in a weight; the loss is the number of steps so far."""

    loss_names, steps_per_epoch = ("steps",), 4

    def __init__(self, iterations: int, after=lambda steps: None) -> None:
        network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        players = {"N": network.trainable_variables}
        super().__init__({"N": network}, players, seed=0, learning_rate=0.1)
        self.iterations = iterations
        self.steps, self.after = tf.Variable(0.0), after

    def epoch(self, *data: tf.Tensor, steps: int) -> dict[str, float]:
        self.steps.assign_add(float(steps))
        self.after(self)
        return {"steps": float(self.steps)}

    def checkpoint(self) -> tf.train.Checkpoint:
        return tf.train.Checkpoint(steps=self.steps)


class Store:
    """Checkpoints in memory."""

    path = "store"

    def __init__(self) -> None:
        self.saved: list[tuple[int, float, list[dict]]] = []

    def restore(self, state: tf.train.Checkpoint) -> tuple[int, list[dict]]:
        if not self.saved:
            return 0, []
        iteration, steps, history = self.saved[-1]
        state.steps.assign(steps)
        return iteration, list(history)

    def save_checkpoint(self, iteration, state, history) -> None:
        self.saved.append((iteration, float(state.steps), list(history)))

    def checkpoints(self) -> list[int]:
        return [iteration for iteration, _, _ in self.saved]


class Diary(Monitor):
    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[tuple[int, bool]] = []

    def evaluate(self, iteration, seconds, losses) -> None:
        self.history.append({"iteration": iteration, "seconds": seconds, **losses})

    def progress(self, iteration, evaluated) -> None:
        self.epochs.append((iteration, evaluated))


def test_the_loop_looks_and_saves_when_a_multiple_is_crossed():
    diary, store = Diary(), Store()
    run_loop(Counter(14), (), schedule=Schedule(5, 8), monitor=diary, store=store)
    assert diary.epochs == [(4, False), (8, True), (12, True), (14, True)]
    assert store.checkpoints() == [8, 14]
    assert [row["steps"] for row in diary.history] == [8, 12, 14]
    seconds = [row["seconds"] for row in diary.history]
    assert seconds == sorted(seconds)


def test_a_resumed_loop_goes_on_with_steps_history_and_seconds():
    store, first = Store(), Diary()
    run_loop(Counter(8), (), schedule=Schedule(4, 4), monitor=first, store=store)
    assert store.checkpoints() == [4, 8]
    store.saved[-1][2][-1]["seconds"] = 100.0
    diary = Diary()
    run_loop(Counter(12), (), schedule=Schedule(4, 4), monitor=diary, store=store)
    assert [row["iteration"] for row in diary.history] == [4, 8, 12]
    assert diary.history[-1]["steps"] == 12 and diary.history[-1]["seconds"] > 100


@pytest.fixture
def interruptible():
    """Ctrl-C as a program has it; in a worker of pytest-xdist it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_saves_and_says_how_to_go_on():
    def press(trainer: Counter) -> None:
        if float(trainer.steps) == 8:
            signal.raise_signal(signal.SIGINT)

    store = Store()
    with pytest.raises(Stopped, match=r"iteration 8 and saved. Go on with: THIS"):
        run_loop(Counter(20, press), (), store=store, go_on="THIS")
    assert store.checkpoints() == [8]
    with pytest.raises(KeyboardInterrupt):  # in memory there is nothing to save
        run_loop(Counter(20, press), ())


@pytest.mark.parametrize("what", ["a loss", "a weight"])
def test_a_loop_that_diverges_saves_nothing_of_it(what):
    def spoil(trainer: Counter) -> None:
        if float(trainer.steps) == 8:
            if what == "a loss":
                trainer.steps.assign(np.nan)
            else:
                trainer.networks["N"].set_weights(
                    [np.full((1, 1), np.inf), np.zeros(1)]
                )

    store = Store()
    with pytest.raises(UserError, match=r"store: .*by iteration 8; the last good .* 4"):
        run_loop(Counter(20, spoil), (), schedule=Schedule(4, 4), store=store)
    assert store.checkpoints() == [4]
    with pytest.raises(UserError, match=r"training: .*smaller learning_rate"):
        run_loop(Counter(20, spoil), ())


def test_a_bar_counts_every_iteration_and_hides_when_told(capsys):
    run_loop(Counter(10), (), monitor=ProgressBar("toy", 10, hidden=False))
    assert "10/10" in capsys.readouterr().err
    run_loop(Counter(10), (), monitor=ProgressBar("toy", 10, hidden=True))
    assert not capsys.readouterr().err


class Scored(Monitor):
    """Finds the scores that it is given, one an evaluation."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores, self.looks = scores, 0

    def evaluate(self, iteration, seconds, losses) -> None:
        self.history.append({"iteration": iteration, "seconds": seconds})
        self.looks += 1

    def score(self) -> float:
        return self.scores[self.looks - 1]


def mark(trainer) -> None:
    """The weights say how many steps were made."""
    kernel = trainer.networks["N"].weights[0]
    kernel.assign(np.full((1, 1), float(trainer.steps)))


@pytest.mark.parametrize(
    ("patience", "keep", "trained", "kept"),
    [(0, True, 20, 8), (2, True, 16, 8), (2, False, 16, 16), (9, False, 20, 20)],
)
def test_the_best_weights_and_the_end_of_patience(patience, keep, trained, kept):
    trainer = Counter(20, mark)
    trainer.averages = {}
    best = Best(trainer, patience, keep)
    monitor = Scored(0.4, 0.6, 0.6, 0.5, 0.3)
    done = run_loop(trainer, (), schedule=Schedule(4, 4), monitor=monitor, best=best)
    assert done == trained and monitor.looks == trained // 4
    assert trainer.networks["N"].get_weights()[0].item() == kept
    assert (int(best.iteration), float(best.score)) == (8, 0.6)
