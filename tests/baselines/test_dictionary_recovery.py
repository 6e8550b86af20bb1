"""Recovery scores: exact for known dictionaries, independent of order, sign and length, and at chance by simulation."""

import itertools
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_rae.baselines import dictionary_recovery

EXAMPLE = Path(__file__).parents[2] / "examples" / "dictionary_recovery.py"
seeds = st.integers(0, 2**16)


def unit(W):
    return W / np.linalg.norm(W, axis=1, keepdims=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(seed=seeds, m=st.integers(1, 6), active=st.integers(1, 6))
def test_a_mixture_is_what_it_says(dtype, seed, m, active):
    active = min(active, m)
    x, atoms, s = dictionary_recovery.mixture(20, 5, m, active, 0.0, np.random.default_rng(seed), dtype)
    assert x.dtype == atoms.dtype == s.dtype == dtype
    assert (np.count_nonzero(s, axis=1) == active).all()
    assert (s[s != 0] >= 0.5).all() and (s <= 1.5).all()
    rounding = 20 * m * np.finfo(dtype).eps
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1, rtol=rounding)
    np.testing.assert_allclose(x, s @ atoms, atol=rounding)


def test_every_atom_is_as_likely_and_the_noise_has_its_size():
    """A binomial count is more than 6 deviations from its mean once in 10^8.

    The same holds for the mean of 320,000 squares.
    """
    x, atoms, s = dictionary_recovery.mixture(40_000, 8, 10, 3, 0.2, np.random.default_rng(0), np.float64)
    used = (s > 0).sum(axis=0)
    assert (np.abs(used - 12_000) < 6 * (40_000 * 0.3 * 0.7) ** 0.5).all()
    noise = (x - s @ atoms) / 0.2
    assert abs(np.square(noise).mean() - 1) < 6 * (2 / noise.size) ** 0.5
    assert s[s > 0].mean() == pytest.approx(1, abs=6 * (1 / 12) ** 0.5 / 120_000**0.5)


@given(seed=seeds, m=st.integers(1, 12), n=st.integers(2, 6))
def test_the_true_dictionary_scores_1_in_any_order_sign_and_length(seed, m, n):
    rng = np.random.default_rng(seed)
    atoms = unit(rng.standard_normal((m, n)))
    W = atoms[rng.permutation(m)] * (rng.choice([-1, 1], m) * 10 ** rng.uniform(-30, 30, m))[:, None]
    assert dictionary_recovery.score(W, atoms) == pytest.approx(1, abs=1e-14)


@given(seed=seeds, k=st.integers(1, 9))
def test_the_score_does_not_see_order_sign_length_or_a_rotation_of_both(seed, k):
    rng = np.random.default_rng(seed)
    W, atoms = rng.standard_normal((k, 4)), unit(rng.standard_normal((6, 4)))
    Q, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    changed = W[rng.permutation(k)] * (rng.choice([-1, 1], k) * rng.uniform(0.1, 10, k))[:, None]
    expected = dictionary_recovery.score(W, atoms)
    assert dictionary_recovery.score(changed, atoms) == pytest.approx(expected, abs=1e-13)
    assert dictionary_recovery.score(W @ Q, atoms @ Q) == pytest.approx(expected, abs=1e-13)


@given(seed=seeds, k=st.integers(1, 5))
def test_the_assignment_is_the_best_of_all(seed, k):
    """All assignments are tried. If there are fewer rows than atoms, the other atoms count 0."""
    rng = np.random.default_rng(seed)
    W, atoms = unit(rng.standard_normal((k, 3))), unit(rng.standard_normal((4, 3)))
    cosine = np.pad(np.abs(atoms @ W.T), ((0, 0), (0, max(0, 4 - k))))
    orders = itertools.permutations(range(max(4, k)), 4)
    best = max(sum(cosine[j, row] for j, row in enumerate(rows)) for rows in orders)
    assert dictionary_recovery.score(W, atoms) == pytest.approx(best / 4, abs=1e-14)


def test_no_row_serves_two_atoms_and_a_zero_row_serves_none():
    atoms = np.eye(3)
    assert dictionary_recovery.found(np.ones((1, 3)), atoms).tolist().count(0) == 2
    assert dictionary_recovery.score(np.ones((3, 3)) * [1, 0, 0], atoms) == pytest.approx(1 / 3)
    assert dictionary_recovery.found(np.diag([5.0, 0, -1]), atoms).tolist() == [1, 0, 1]


def test_chance_of_one_atom_is_the_mean_of_a_random_cosine():
    """In the plane, |cos| of a uniform angle has mean 2 / pi and variance 1/2 - (2 / pi)^2.

    The limit is 6 deviations.
    """
    rng, draws = np.random.default_rng(0), 4000
    mean, deviation = 2 / np.pi, (0.5 - (2 / np.pi) ** 2) ** 0.5
    lucky = dictionary_recovery.chance(np.array([[0.6, 0.8]]), 1, rng, draws)
    assert abs(lucky.mean - mean) < 6 * deviation / draws**0.5
    assert lucky.deviation == pytest.approx(deviation, rel=0.1)


def test_chance_is_what_an_independent_random_dictionary_scores():
    """The means of two sets of 40 draws differ by less than 6 of their joint deviation."""
    rng = np.random.default_rng(1)
    atoms = unit(rng.standard_normal((12, 8)))
    lucky = dictionary_recovery.chance(atoms, 12, rng, draws=40)
    others = [
        dictionary_recovery.score(rng.uniform(0, 1, (12, 8)) - 0.5, unit(rng.standard_normal((12, 8))))
        for _ in range(40)
    ]
    assert abs(lucky.mean - np.mean(others)) < 6 * lucky.deviation * (2 / 40) ** 0.5
    assert (
        dictionary_recovery.chance(atoms, 48, rng).mean > lucky.mean + lucky.deviation
    )  # more rows give a larger best cosine


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"N": 0}, "N is 0; it must be a whole number of at least 1"),
        ({"n": 2.5}, "n is 2.5"),
        ({"m": -1}, "m is -1"),
        ({"active": 5}, r"active is 5; it must be a number in \[1, 4\]"),
        ({"noise": -0.1}, "noise is -0.1"),
    ],
)
def test_a_mixture_out_of_range_is_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        dictionary_recovery.mixture(**{"N": 5, "n": 3, "m": 4, "active": 2, "noise": 0.1, "rng": None} | change)


def test_dictionaries_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match="W has 2 columns; it must have 3"):
        dictionary_recovery.score(np.ones((4, 2)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="W contains NaN or inf"):
        dictionary_recovery.score(np.full((4, 3), np.nan), np.ones((4, 3)))


def test_the_smallest_example_prints_what_beats_chance(tmp_path, capsys):
    assert runpy.run_path(str(EXAMPLE))["main"](["--preset", "tiny", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    header, *rows = [line for line in printed.splitlines() if re.match(r"sigma\^2|\d\S* +\d\.\d", line)]
    assert header.split()[1:] == ["DAE", "CAE", "mDAE", "SAE", "sparse", "coding"]
    assert len({*rows[0].split()[1:-1]}) == 1 and rows[0].split()[-1] == "-"  # all models are equal at sigma^2 = 0
    level = {name: float(re.search(rf"{name}: (\d\.\d+)", printed)[1]) for name in ("random rows", "samples as rows")}
    for row in rows[1:]:
        assert float(row.split()[-1]) > max(level.values())
    assert (tmp_path / "dictionary_recovery-tiny.png").read_bytes().startswith(b"\x89PNG")
