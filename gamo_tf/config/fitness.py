"""Which settings go together: backbone, method and validation with a kind of data."""

from __future__ import annotations

from collections.abc import Mapping

from gamo_tf.config.backbones import BACKBONES, check_name, is_pretrained
from gamo_tf.config.dataset_specs import DatasetSpec
from gamo_tf.config.methods import METHODS, Method
from gamo_tf.errors import UserError, setting

_OF_PRETRAINED = ("backbone_weights", "backbone_trains", "backbone_rate")


def check_backbone(spec: DatasetSpec, chosen: Mapping, defaults: Mapping) -> None:
    """Refuse a backbone that does not fit the data, and settings of another one.

    Args:
      spec: The row of the dataset.
      chosen: Settings by name, those that the user chose.
      defaults: Settings by name, as `Options` has them.

    Raises:
      UserError: One does not fit; the message names the setting.
    """
    name = chosen.get("backbone", "")
    word = setting("backbone", name)
    once = is_pretrained(name) and chosen.get("backbone_trains", "none") != "all"
    if chosen.get("views", 1) > 1 and not once:
        raise UserError(
            f"{setting('views')}: needs a pretrained network, all or some of whose "
            f"layers are frozen; {setting('augment')} is for others."
        )
    if not is_pretrained(name):
        for other in _OF_PRETRAINED:
            if chosen.get(other, defaults[other]) != defaults[other]:
                raise UserError(
                    f"{setting(other)}: needs a pretrained network. Name one by "
                    f"{setting('backbone')}."
                )
    if not name:
        return
    check_name(name)
    if spec.vector != (name == "standardise"):
        kind = "a table" if spec.vector else "images"
        own = "standardise" if spec.vector else "paper, pixels or a pretrained network"
        raise UserError(f"{word}: {spec.name} is {kind}; expected {own}.")
    if not is_pretrained(name):
        return
    if name not in BACKBONES and chosen.get("backbone_weights") == "none":
        raise UserError(
            f"{setting('backbone_weights')} none: {name} has weights of its own."
        )
    side = chosen.get("backbone_side", 0)
    least = BACKBONES[name].least_side if name in BACKBONES else 1
    if side and side < least:
        raise UserError(
            f"{setting('image_size', side)}: {name} takes images of {least} pixels a "
            "side or more."
        )


def check_method(
    method: Method, spec: DatasetSpec, chosen: Mapping, defaults: Mapping
) -> None:
    """Refuse a method that lacks something that it needs.

    Args:
      method: A row of `METHODS`.
      spec: The row of the dataset.
      chosen: Settings by name, those that the user chose.
      defaults: Settings by name, as `Options` has them.

    Raises:
      UserError: It does; the message names the setting.
    """
    changed = {k for k in chosen if k in defaults and chosen[k] != defaults[k]}
    if chosen.get("loss", method.losses[0]) not in method.losses:
        raise UserError(
            f"{setting('loss')} {chosen['loss']}: {method.name} has only "
            f"{', '.join(method.losses)}; leave {setting('loss')} out."
        )
    word = f"{setting('method')} {method.name}"
    if "images" in method.needs and spec.vector:
        raise UserError(f"{word}: needs images, not feature vectors.")
    pretrained = is_pretrained(chosen.get("backbone", ""))
    trains = chosen.get("backbone_trains", "none")
    backbone = setting("backbone_trains", trains)
    if "images" in method.needs and pretrained and trains != "all":
        raise UserError(
            f"{word}: needs pixels, and with {backbone} training begins at features. "
            f"Use {setting('backbone_trains', 'all')} or another method."
        )
    if "grey images" in method.needs and spec.shape[2] != 1:
        raise UserError(f"{word}: {spec.name} has colour images.")
    learns = trains != "none" if pretrained else bool(spec.conv)
    if "an F that learns" in method.needs and not learns:
        if pretrained:
            raise UserError(
                f"{word}: needs a feature extractor that learns. Use "
                f"{setting('backbone_trains', 'top')} or another method."
            )
        raise UserError(
            f"{word}: {spec.name} is trained on its pixels; F has no features to learn "
            "there."
        )
    if "precision" in changed and pretrained and trains == "none":
        raise UserError(
            f"{setting('precision')}: a frozen network is used as it is. It goes with "
            f"{setting('backbone_trains', 'top')} or all."
        )
    if "precision" in changed and not learns:
        raise UserError(
            f"{setting('precision')}: F has no layers that learn for {spec.name}."
        )
    if chosen.get("augment") and spec.vector:
        raise UserError(f"{setting('augment')}: needs images, not feature vectors.")
    if chosen.get("augment") and pretrained and trains != "all":
        raise UserError(
            f"{setting('augment')}: with {backbone} training begins at features that "
            f"are extracted once. Leave it out."
        )
    if "tau" in changed and not method.adjusts:
        named = ", ".join(m.name for m in METHODS.values() if m.adjusts)
        raise UserError(f"{setting('tau')}: {method.name} adjusts nothing; {named} do.")
    if "sampling" in changed and (not method.balanced):
        named = ", ".join(m.name for m in METHODS.values() if m.balanced)
        raise UserError(
            f"{setting('sampling')}: {method.name} shows all rows alike; {named} need "
            "not."
        )
    if chosen.get("support") and not method.supported:
        why = "has no IGU"
        if method.learns_generator:
            why = "combines the newest features of each class, however many there are"
        raise UserError(f"{setting('support')}: {method.name} {why}.")
    if chosen.get("gan_turns") and not method.trains_gan:
        raise UserError(f"{setting('gan_turns')}: {method.name} trains no such GAN.")
    if chosen.get("generator_update") == "per-class" and not method.supported:
        raise UserError(
            f"{setting('generator_update')} per-class: {method.name} has no IGU."
        )


def check_validation(values: Mapping) -> None:
    """Refuse validation samples in the way of another kind of data.

    Args:
      values: All settings by name.

    Raises:
      UserError: The setting is that of other data, or is needed and not there.
    """
    ways = ("validation_per_class", "validation_split")
    other, mine = ways if values.get("data") else ways[::-1]
    if values.get(other):
        raise UserError(
            f"{setting(other)} {values[other]}: {values['dataset']} has its validation "
            f"rows by {setting(mine)}."
        )
    for name in ("patience", "best"):
        if values.get(name) and not values.get(mine):
            raise UserError(
                f"{setting(name)}: needs validation rows. Set some aside by "
                f"{setting(mine)}."
            )
