"""Preprocessing: exact results on integer data, whitening up to rounding, crops against loops over all positions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rae.data.preprocessing import as_rows, crop_patches, standardise, whiten

EPS = np.finfo(np.float64).eps


@st.composite
def integers(draw, lengths=st.integers(2, 12)):
    """Draw integer-valued float64 data (N, n) without a constant feature."""
    N, n = draw(lengths), draw(st.integers(1, 4))
    x = draw(hnp.arrays(np.int64, (N, n), elements=st.integers(-50, 50))).astype(np.float64)
    x[0] = x[1] + draw(st.integers(1, 5))
    return x


@given(x=integers(), std_offset=st.sampled_from([0.0, 0.1, 3.0]))
def test_standardise_gives_mean_zero_and_the_stated_deviation(x, std_offset):
    z, s = standardise(x, std_offset), x.std(axis=0)
    rounding = 8 * len(x) * EPS * np.abs(x).max() / s.min()
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=rounding)
    np.testing.assert_allclose(z.std(axis=0), s / (s + std_offset), atol=rounding)


def test_standardise_by_hand():
    x = np.array([[1.0, 10.0], [5.0, 10.0]])
    assert standardise(x).tolist() == [[-1, 0], [1, 0]]
    assert standardise(x, 2.0).tolist() == [[-0.5, 0], [0.5, 0]]


@given(
    x=integers(st.sampled_from([2, 4, 8])),
    shift=st.integers(-1000, 1000),
    power=st.integers(-8, 8),
    sign=st.sampled_from([1, -1]),
)
def test_standardise_knows_neither_unit_nor_origin(x, shift, power, sign):
    """Unit and origin must not matter. Sums of integers and divisions by powers of two are exact."""
    assert np.array_equal(standardise(sign * 2.0**power * (x + shift)), sign * standardise(x))


@pytest.mark.parametrize("power", [1010, -1050])
def test_neither_the_largest_numbers_nor_the_smallest_make_a_difference(power):
    """Scaling by a power of two is exact, although squares overflow or underflow."""
    x = np.array([[1, 0], [3, 16], [-2, 8], [6, 8]], float)
    far = np.ldexp(x, power)
    assert np.array_equal(standardise(far), standardise(x))
    assert np.array_equal(whiten(far), whiten(x))


@given(value=st.floats(-1e6, 1e6), N=st.integers(1, 40), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_constant_feature_becomes_exactly_zero(value, N, dtype):
    x = np.column_stack([np.full(N, value), np.arange(N)]).astype(dtype)
    for std_offset in (0.0, 1e-9):
        z = standardise(x, std_offset)
        assert z.dtype == dtype and not z[:, 0].any()


def test_standardise_leaves_its_input_alone():
    x = np.arange(6.0).reshape(3, 2)
    standardise(x)
    whiten(x)
    assert np.array_equal(x, np.arange(6.0).reshape(3, 2))


@given(seed=st.integers(0, 2**16), n=st.integers(1, 6), data=st.data())
def test_whitened_data_have_mean_zero_and_covariance_one(seed, n, data):
    """This holds also if the data fill only `rank` of their n dimensions.

    The result is a linear map of the centred data.
    """
    rank, N, rng = data.draw(st.integers(1, n)), data.draw(st.integers(n + 2, 30)), np.random.default_rng(seed)
    frame, _ = np.linalg.qr(rng.standard_normal((n, n)))
    x = rng.standard_normal((N, rank)) @ frame[:rank] + rng.uniform(-5, 5, n)
    white = whiten(x)
    assert white.shape == (N, rank)
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=N * EPS)
    np.testing.assert_allclose(white.T @ white / N, np.eye(rank), atol=10 * N * EPS)
    centred = x - x.mean(axis=0)
    A = np.linalg.lstsq(centred, white, rcond=1e-10)[0]
    np.testing.assert_allclose(centred @ A, white, atol=1e-9)


@pytest.mark.parametrize(("dtype", "offset"), [(np.float64, 1e6), (np.float32, 1e3)])
def test_an_offset_adds_no_direction_and_hides_none(dtype, offset):
    """Two features on a line must stay one direction far from the origin, where rounding errors are large."""
    z = np.random.default_rng(0).standard_normal(2000)
    line = (offset + np.outer(z, [1, 1 / 3])).astype(dtype)
    assert whiten(line).shape == (2000, 1)
    plane = line + np.outer(np.cos(np.arange(2000)), [0, 0.1]).astype(dtype)
    assert whiten(plane).shape == (2000, 2)


def test_whitening_more_features_than_samples_finds_the_samples_rank():
    x = np.random.default_rng(0).standard_normal((4, 9)).astype(np.float32)
    white = whiten(x)
    assert white.shape == (4, 3) and white.dtype == np.float32


@pytest.mark.parametrize("x", [np.full((3, 1), 0.1), np.full((7, 3), 1e6 / 3), np.ones((1, 4)), np.zeros((5, 2))])
def test_constant_data_have_no_direction_to_whiten(x):
    with pytest.raises(ValueError, match=f"x has {len(x)} samples and rank 0; whitening needs 0 < rank < samples"):
        whiten(x)


@given(seed=st.integers(0, 2**16), size=st.integers(1, 4), channels=st.sampled_from([1, 3]))
def test_every_patch_stands_somewhere_in_an_image(seed, size, channels):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (2, channels, 5, 6), np.uint8)
    patches = crop_patches(images, 7, size, rng)
    places = [
        image[:, top : top + size, left : left + size].tobytes()
        for image in images
        for top in range(5 - size + 1)
        for left in range(6 - size + 1)
    ]
    assert patches.shape == (7, channels, size, size) and patches.dtype == np.uint8
    assert all(patch.tobytes() in places for patch in patches)


def test_every_position_is_equally_likely_the_corners_too():
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 1, 3, 4)
    count = 12_000
    patches = crop_patches(images, count, 2, np.random.default_rng(0))
    places, seen = np.unique(patches[:, 0, 0, 0], return_counts=True)
    assert places.tolist() == [12 * i + 4 * top + left for i in range(2) for top in range(2) for left in range(3)]
    p = 1 / len(places)
    assert np.abs(seen - count * p).max() < 4 * (count * p * (1 - p)) ** 0.5


def test_patches_are_a_function_of_the_generator():
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 20), np.uint8)
    first, again, other = (crop_patches(images, 20, 8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_patch_as_large_as_the_image_is_the_image():
    images = np.arange(9, dtype=np.uint8).reshape(1, 1, 3, 3)
    assert np.array_equal(crop_patches(images, 1, 3, np.random.default_rng(0)), images)


@pytest.mark.parametrize(
    ("shape", "count", "size", "sentence"),
    [
        ((1, 1, 3, 9), 1, 4, "size is 4; the images are 3 x 9, so it must be at most 3"),
        ((1, 1, 3, 3), 1, 0, "size is 0; it must be a whole number of at least 1"),
        ((1, 1, 3, 3), 0, 2, "count is 0; it must be a whole number of at least 1"),
        ((3, 9, 9), 1, 2, "images is uint8 (3, 9, 9); it must be a non-empty uint8 array of shape (N, C, H, W)"),
        ((0, 1, 9, 9), 1, 2, "images is uint8 (0, 1, 9, 9); it must be a non-empty uint8 array of shape (N, C, H, W)"),
    ],
)
def test_crops_that_cannot_be_are_refused(shape, count, size, sentence):
    with pytest.raises(ValueError) as error:
        crop_patches(np.zeros(shape, np.uint8), count, size, np.random.default_rng(0))
    assert str(error.value) == sentence


def test_as_rows_by_hand():
    rows = as_rows(np.array([[[0, 51], [102, 255]]], np.uint8))
    assert rows.tolist() == [[0, 0.2, 0.4, 1]]


@pytest.mark.parametrize("images", [[[1]], np.zeros((2, 2)), np.zeros(3, np.uint8), np.zeros((0, 4), np.uint8)])
def test_as_rows_refuses_what_is_no_stack_of_images(images):
    with pytest.raises(ValueError, match=r"images is .*; it must be a non-empty uint8 array of shape \(N, \.\.\.\)"):
        as_rows(images)


@pytest.mark.parametrize("function", [standardise, whiten])
def test_bad_matrices_are_refused(function):
    for bad in (np.zeros((0, 2)), np.zeros(3), np.array([[np.nan, 1.0]]), [[1.0]], np.ones((2, 2), int)):
        with pytest.raises(ValueError, match=r"^x (has|is|contains)"):
            function(bad)


def test_a_negative_offset_is_refused():
    with pytest.raises(ValueError, match="std_offset is -0.1; it must be a number in"):
        standardise(np.ones((2, 2)), -0.1)
