"""Other libraries find the same distances on the same features."""

import numpy as np
import pytest

from gamo2pix import distances

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(300, 64))
FAKE = RNG.normal(0.1, 1.1, size=(300, 64))

TORCH_FIDELITY = """
real, fake = values["real"], values["fake"]
import torch
from torch_fidelity import metric_fid, metric_kid
moments = [metric_fid.fid_features_to_statistics(torch.tensor(x)) for x in (real, fake)]
found = metric_fid.fid_statistics_to_metric(*moments, verbose=False)
kernel = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3}
kernel |= {"kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
kid = metric_kid.kernel_mmd(real, fake, **kernel)
print(json.dumps([found["frechet_inception_distance"], float(kid)]))
"""
CLEAN_FID = """
real, fake = values["real"], values["fake"]
from cleanfid import fid
moments = [m for x in (real, fake) for m in (x.mean(0), np.cov(x, rowvar=False))]
kid = fid.kernel_distance(real, fake, num_subsets=1, max_subset_size=300)
print(json.dumps([float(fid.frechet_distance(*moments)), kid]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "code"), [("torch_fidelity", TORCH_FIDELITY), ("cleanfid", CLEAN_FID)]
)
def test_distances_are_those_of_other_libraries(elsewhere, library, code):
    frechet, kid = elsewhere(library, code, real=REAL, fake=FAKE)
    ours = distances.frechet(*map(distances.statistics, (REAL, FAKE)))
    assert ours == pytest.approx(frechet, rel=1e-6)
    assert distances.kid(REAL, FAKE).value == pytest.approx(kid, rel=1e-9)
