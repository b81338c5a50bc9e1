"""The distances of other libraries, on the same features, are the same numbers.

None of them is among the requirements: they bring PyTorch. Without them these tests are
skipped by name.
"""

import numpy as np
import pytest

from gamo2pix import distances

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(300, 64))
FAKE = RNG.normal(0.1, 1.1, size=(300, 64))


def test_torch_fidelity_has_the_same_frechet_distance():
    theirs = pytest.importorskip("torch_fidelity.metric_fid")
    torch = pytest.importorskip("torch")
    one, two = (
        theirs.fid_features_to_statistics(torch.tensor(x)) for x in (REAL, FAKE)
    )
    found = theirs.fid_statistics_to_metric(one, two, verbose=False)
    ours = distances.frechet(*map(distances.statistics, (REAL, FAKE)))
    assert ours == pytest.approx(found["frechet_inception_distance"], rel=1e-6)


def test_torch_fidelity_has_the_same_kid():
    theirs = pytest.importorskip("torch_fidelity.metric_kid")
    found = theirs.kernel_mmd(
        REAL,
        FAKE,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1,
    )
    assert distances.kid(REAL, FAKE).value == pytest.approx(found, rel=1e-9)


def test_clean_fid_has_the_same_distances():
    theirs = pytest.importorskip("cleanfid.fid")
    moments = [m for x in (REAL, FAKE) for m in (x.mean(0), np.cov(x, rowvar=False))]
    ours = distances.frechet(*map(distances.statistics, (REAL, FAKE)))
    assert ours == pytest.approx(theirs.frechet_distance(*moments), rel=1e-6)
    found = theirs.kernel_distance(REAL, FAKE, num_subsets=1, max_subset_size=300)
    assert distances.kid(REAL, FAKE).value == pytest.approx(found, rel=1e-9)
