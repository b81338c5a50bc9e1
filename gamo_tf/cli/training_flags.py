"""The flags of a training that no other room knows: the backbone, the game, Adam."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from gamo_tf.config.backbones import BACKBONES, OWN, TRAINS
from gamo_tf.config.options import CHOICES, VIEW_SETS, Options

# Flags that few need: `--help-all` shows them too.
RARE = {
    "class_order",
    "strategy",
    "latent",
    "gan_turns",
    "label_noise",
    "generator_update",
    "weighting",
    "support",
    "precision",
    "jit",
    "deterministic",
    "checkpoint_every",
    "backbone_weights",
    "backbone_rate",
    "view_set",
}


def hide_rare(flags: argparse.ArgumentParser) -> None:
    """Show flags that few need by ``--help-all`` alone.

    Args:
      flags: the parser, with all of its flags.
    """
    helps = {a: a.help for a in flags._actions if a.dest in RARE}
    for action in helps:
        action.help = argparse.SUPPRESS

    class HelpAll(argparse.Action):
        def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
            for action, text in helps.items():
                action.help = text
            parser.print_help()
            parser.exit()

    flags.add_argument(
        "--help-all",
        action=HelpAll,
        nargs=0,
        default=argparse.SUPPRESS,
        help="show this message with all flags and exit",
    )


def add_loss(add: Callable) -> None:
    """Add ``--loss``.

    Args:
      add: `add_argument` of a parser or group.
    """
    add(
        "--loss",
        choices=CHOICES["loss"],
        help="least squares or cross entropy; default: the method's own",
    )


def add_deterministic(add: Callable) -> None:
    """Add ``--deterministic``.

    Args:
      add: `add_argument` of a parser or group.
    """
    add("--deterministic", action="store_true", help="repeats are bit-exact; slower")


def add_backbone(flags: argparse.ArgumentParser) -> None:
    """Add the flags of a pretrained feature extractor.

    Args:
      flags: the parser.
    """
    add = flags.add_argument_group("pretrained feature extractor").add_argument
    names = [name for name in BACKBONES if name not in OWN]
    add(
        "--backbone",
        metavar="NAME|FILE",
        help=f"{', '.join(names)}, or a .keras file of images to features",
    )
    add(
        "--backbone-weights",
        metavar="W",
        help="imagenet (default), none, or a .weights.h5 or .keras file",
    )
    add(
        "--backbone-trains",
        choices=TRAINS,
        help="which of its layers learn; default none",
    )
    add(
        "--views",
        type=int,
        metavar="K",
        help="up to K views of an image of a smaller class; default 1",
    )
    add("--view-set", choices=VIEW_SETS, help="how views are made; default: by data")
    add(
        "--backbone-rate",
        type=float,
        metavar="A",
        help=f"its learning rate; default {Options.backbone_rate:g}",
    )


def add_training(
    flags: argparse.ArgumentParser,
    rate: str = f"Adam's; default {Options.learning_rate:g}",
    ema: str = f"{Options.ema:g}",
) -> Callable:
    """Add the flags of the game and of Adam.

    Args:
      flags: the parser.
      rate: help of ``--learning-rate``.
      ema: default of ``--ema``, for its help.

    Returns:
      `add_argument` of their group.
    """
    add = flags.add_argument_group("training").add_argument

    def number(flag: str, kind: type, metavar: str, what: str, default: float) -> None:
        words = f"{what}; default {default:g}"
        add(flag, type=kind, metavar=metavar, help=words)

    number("--batch-size", int, "B", "rows of a minibatch", Options.batch_size)
    number("--latent", int, "L", "numbers in z", Options.latent)
    add("--learning-rate", type=float, metavar="A", help=rate)
    words = f"average F and M too: 0.999; default {ema}"
    add("--ema", type=float, metavar="DECAY", help=words)
    add(
        "--augment",
        action=argparse.BooleanOptionalAction,
        help="shift images, mirror where that fits",
    )
    number("--tau", float, "T", "strength of logit adjustment", Options.tau)
    add(
        "--sampling",
        type=float,
        metavar="Q",
        help="balanced methods show a class's rows by n_i^Q; default 0.25",
    )
    number("--support", int, "K", "points of a class in a pass of G", Options.support)
    add(
        "--gan-turns",
        type=int,
        metavar="N",
        help="of cgan and cdcgan; default: GAMO's iterations",
    )
    number("--label-noise", float, "W", "width, on D's targets", Options.label_noise)
    add(
        "--generator-update",
        choices=CHOICES["generator_update"],
        help="Algorithm 1 (default), or a batch a class",
    )
    add(
        "--weighting",
        choices=CHOICES["weighting"],
        help="of generated batches: as Algorithm 1 (default) or Eqs. 2-6",
    )
    policies = CHOICES["precision"]
    words = f"of F: {', '.join(policies)}"
    add("--precision", choices=policies, metavar="POLICY", help=words)
    number("--weight-decay", float, "W", "L2 penalty on M", Options.weight_decay)
    add("--head", choices=CHOICES["head"], help="layers of M; default mlp")
    add("--jit", choices=CHOICES["jit"], help="XLA; default: where it pays")
    return add
