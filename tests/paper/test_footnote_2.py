"""Fn. 2: why 0.1 is added to MNIST's standard deviations."""

import numpy as np
import pytest

from numpy_rae.data import images
from numpy_rae.data.preprocessing import as_rows, standardise

pytestmark = pytest.mark.fn_2


def test_the_offset_bounds_every_feature_and_its_absence_does_not():
    """Pixels lie in [0, 1], so |x - mean| / (std + 0.1) <= 10. Without the offset, rare pixels exceed 50."""
    x = as_rows(images.load_sample()[0])
    assert np.abs(standardise(x, 0.1)).max() <= 10
    assert np.abs(standardise(x)).max() > 50
