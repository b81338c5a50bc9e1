"""One class: its VAE is trained, watched, kept and drawn."""

from __future__ import annotations

import json
import time

import numpy as np
import tensorflow as tf

from gamo2pix.options import PixOptions
from gamo2pix.synthesis import Synthesis
from gamo2pix.vae import TERMS, Decode, Vae
from gamo_tf import grids, plots
from gamo_tf.errors import Stopped, UserError
from gamo_tf.folder import Folder, atomically, write_text
from gamo_tf.interrupts import interrupts
from gamo_tf.specs import DatasetSpec
from gamo_tf.watch import Watch, clock

_LOOKS = 10  # times a class is looked at while its VAE trains
_SHOWN = 2 * grids.COLUMNS


def train(
    folder: Folder,
    spec: DatasetSpec,
    label: int,
    options: PixOptions,
    retrain: bool,
    synthesis: Synthesis,
    features: np.ndarray,
) -> None:
    """The VAE of a class, unless `folder` has it; goes on where it was stopped.

    Raises UserError where the folder was begun with other settings.
    """
    name = f"class {label} ({spec.classes[label]})"
    known = folder.path / "options.json"
    if retrain or not known.is_file():
        atomically(folder.path, lambda part: Folder(part).make())
        write_text(known, json.dumps(options.to_json(), indent=2) + "\n")
    elif (begun := json.loads(known.read_text())) != options.to_json():
        differ = [k for k, v in options.to_json().items() if begun.get(k) != v]
        told = ", ".join(f"{k} {begun.get(k) or 'as default'}" for k in differ)
        raise UserError(
            f"{folder.path}: was begun with {told}. Give the same, or --retrain."
        )
    elif folder.finished:
        print(f"{name}: trained already; --retrain trains it anew")
        return

    images = tf.constant(synthesis.images[synthesis.rows[label]])
    x = tf.constant(features)
    vae = Vae(options, features.shape[1], spec.shape)
    state = vae.checkpoint()
    done, history = folder.restore(state)
    print(f"{name}: VAE on {len(features)} images" + f", from {done}" * bool(done))
    total = options.length(len(features))
    watch = VaeWatch(folder, total, history)
    before = history[-1]["seconds"] if history else 0.0
    began = time.perf_counter()
    every = max(1, total // _LOOKS)
    decode = Decode(vae.head, vae.decoder)
    with interrupts() as interrupted:
        while done < total:
            steps = min(every - done % every, total - done)
            terms = vae.train(x, images, tf.constant(steps)).numpy()
            done += steps
            if not np.isfinite(terms).all():
                raise UserError(f"{folder.path}: the loss became NaN by {done}.")
            seconds = before + time.perf_counter() - began
            row = dict(zip(TERMS, map(float, terms), strict=True))
            watch.record({"iteration": done, "seconds": seconds, **row})
            watch.scalars("train", row)
            shown = synthesis.make(label, decode, 0, _SHOWN).images
            picture = grids.grid(grids.wrapped("generated", shown, 2), name)
            watch.picture("generated", folder.picture("generated.png"), picture)
            watch.progress(done, True)
            folder.save_checkpoint(done, state, watch.history)
            if interrupted and done < total:
                raise Stopped(f"{name}: saved at {done}; the same command goes on")
    watch.flush()
    folder.save_model("head", vae.head)
    folder.save_model("decoder", vae.decoder)
    results = {
        "class": spec.classes[label],
        "images": len(features),
        **watch.history[-1],
    }
    folder.write_results(results)
    print(f"{name}: done in {clock(results['seconds'])}", flush=True)


class VaeWatch(Watch):
    def told(self, row: dict) -> str:
        return "  ".join(f"{key} {row[key]:.1f}" for key in TERMS) + " nats"


def draw(
    folder: Folder,
    spec: DatasetSpec,
    label: int,
    synthesis: Synthesis,
    vae: Decode | None,
) -> None:
    """generated.png, parents.png, interpolation.png and, with a VAE,
    reconstructions.png: grids beside real images."""
    folder.path.mkdir(parents=True, exist_ok=True)
    name = f"{spec.name}, class {label} ({spec.classes[label]})"
    real = synthesis.images[synthesis.rows[label]]
    made = synthesis.make(label, vae, 0, _SHOWN)
    lined = {
        "generated": grids.wrapped("real", real, 2)
        + grids.wrapped("generated", made.images, 2)
    }
    # Between two latents of G; the mean of q(z|x), so that only they move.
    ends = synthesis.latents(label, 8, synthesis.G.inputs[0].shape[1], 2)
    share = np.linspace(0.0, 1.0, grids.COLUMNS, dtype=np.float32)[:, None]
    lines = []
    for k in range(0, len(ends), 2):
        z = (1.0 - share) * ends[k] + share * ends[k + 1]
        features = synthesis.combine(label, synthesis.weights(label, z))
        lines.append((f"pair {k // 2 + 1}", synthesis.decode(features, vae, None)))
    lined["interpolation"] = lines
    if vae is not None:
        features = synthesis.features[synthesis.rows[label]][:_SHOWN]
        back = synthesis.decode(features, vae, None)
        lined["reconstructions"] = []
        for k in range(0, len(back), grids.COLUMNS):
            part = slice(k, k + grids.COLUMNS)
            lined["reconstructions"] += [("real", real[part]), ("decoded", back[part])]
    done = {key: grids.grid(lines, f"{name}: {key}") for key, lines in lined.items()}
    groups = np.arange(9) // plots.SHOWN
    words = [f"{3 * k + 1}-{3 * k + 3}" for k in range(3)]
    done["parents"] = plots.samples(
        made.weights[:9], groups, real, words, made.images[:9]
    )
    for key, picture in done.items():
        atomically(
            folder.picture(f"{key}.png"),
            lambda part, picture=picture: plots.save(picture, part),
        )
