"""Argument checks: a valid value is returned unchanged, and an invalid one gives one sentence."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_rae import _validation

NOT_NUMBERS = [None, "1", True, 1j, math.nan, math.inf, -math.inf, 10**400, np.ones(1), np.float64("nan")]
NAMES = st.from_regex(r"[a-z_]+", fullmatch=True)


def sentence(check, *args, **options) -> str:
    """Return the message with which a check refuses the value."""
    with pytest.raises(ValueError) as error:
        check(*args, **options)
    return str(error.value)


@given(name=NAMES, low=st.integers(-5, 5), width=st.integers(0, 9), value=st.floats(-20, 20), open_low=st.booleans())
def test_number_accepts_its_interval_and_nothing_else(name, low, width, value, open_low):
    high = low + width
    inside = low < value <= high or (value == low and not open_low)
    if inside:
        assert _validation.number(name, value, low, high, open_low) is value
    else:
        said = sentence(_validation.number, name, value, low, high, open_low)
        assert said == f"{name} is {value!r}; it must be a number in {'(' if open_low else '['}{low}, {high}]"


@given(low=st.integers(-5, 5))
def test_number_at_its_ends(low):
    assert _validation.number("x", low, low, low + 1) == low
    assert _validation.number("x", low + 1, low, low + 1, open_low=True) == low + 1
    assert sentence(_validation.number, "x", low, low, low + 1, open_low=True).endswith(f"({low}, {low + 1}]")


@pytest.mark.parametrize("bad", NOT_NUMBERS)
def test_number_refuses_what_is_no_finite_real(bad):
    assert sentence(_validation.number, "eta", bad) == f"eta is {bad!r}; it must be a number in [0, inf]"


@pytest.mark.parametrize("good", [0, 3, 1e308, np.float32(2), np.int64(4), 5e-324])
def test_number_takes_every_kind_of_real(good):
    assert _validation.number("eta", good) is good


@given(name=NAMES, value=st.integers(), low=st.integers(-5, 5))
def test_whole_accepts_from_low_on(name, value, low):
    if value >= low:
        assert _validation.integer(name, value, low) == value
    else:
        expected = f"{name} is {value}; it must be a whole number of at least {low}"
        assert sentence(_validation.integer, name, value, low) == expected


@pytest.mark.parametrize("bad", [1.0, 2.5, True, "3", None, np.float64(4), math.nan])
def test_whole_refuses_what_is_no_integer(bad):
    assert sentence(_validation.integer, "seed", bad) == f"seed is {bad!r}; it must be a whole number of at least 1"


def test_whole_takes_numpys_integers():
    assert _validation.integer("seed", np.int64(3)) == 3


@given(known=st.lists(NAMES, min_size=1, unique=True), data=st.data())
def test_one_of_accepts_the_known_and_lists_them_otherwise(known, data):
    name = data.draw(st.sampled_from(known))
    assert _validation.one_of("model", name, dict.fromkeys(known)) == name
    other = name.upper() + "?"
    said = sentence(_validation.one_of, "model", other, iter(known))
    assert said == f"model is {other!r}; it must be one of {', '.join(known)}"


FLOATS = st.sampled_from([np.float32, np.float64])
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)


@given(dtype=FLOATS, shape=SHAPES)
def test_matrix_accepts_finite_floats_and_returns_the_same_object(dtype, shape):
    x = np.ones(shape, dtype)
    assert _validation.matrix("x", x) is x
    assert _validation.matrix("x", x, shape[1]) is x
    said = sentence(_validation.matrix, "x", x, shape[1] + 1)
    assert said == f"x has {shape[1]} columns; it must have {shape[1] + 1}"


@given(dtype=FLOATS, shape=SHAPES, bad=st.sampled_from([math.nan, math.inf, -math.inf]), data=st.data())
def test_matrix_refuses_a_single_entry_that_is_not_finite(dtype, shape, bad, data):
    x = np.ones(shape, dtype)
    x.flat[data.draw(st.integers(0, x.size - 1))] = bad
    assert sentence(_validation.matrix, "x_train", x) == "x_train contains NaN or inf; every entry must be finite"


@given(shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3).filter(lambda s: len(s) != 2 or 0 in s))
def test_matrix_refuses_other_shapes_and_empty_data(shape):
    said = sentence(_validation.matrix, "x", np.ones(shape))
    assert said == f"x has shape {shape}; it must be (samples, features), both at least 1"


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.float16, np.complex128, object, ">f8"])
def test_matrix_refuses_other_dtypes(dtype):
    x = np.ones((2, 2), dtype)
    assert sentence(_validation.matrix, "x", x) == f"x has dtype {x.dtype}; it must be float32 or float64"


@pytest.mark.parametrize(("bad", "kind"), [([[1.0]], "list"), (None, "NoneType"), (1.5, "float")])
def test_what_is_no_array_is_refused(bad, kind):
    assert sentence(_validation.matrix, "x", bad) == f"x is a {kind}; it must be a NumPy array"
    said = sentence(_validation.like, "x", bad, (1, 1), np.dtype(np.float64))
    assert said == f"x is {kind}; it must be a float64 array of shape (1, 1)"


@given(dtype=FLOATS, other=FLOATS, shape=SHAPES, other_shape=SHAPES)
def test_like_accepts_exactly_one_shape_and_dtype(dtype, other, shape, other_shape):
    x = np.zeros(shape, dtype)
    if dtype == other and shape == other_shape:
        assert _validation.like("x", x, other_shape, np.dtype(other)) is x
    else:
        said = sentence(_validation.like, "x", x, other_shape, np.dtype(other))
        assert said == f"x is {x.dtype} {shape}; it must be a {np.dtype(other)} array of shape {other_shape}"


def test_every_sentence_is_one_line_and_says_must():
    for check, args in (
        (_validation.number, ("a", -1)),
        (_validation.integer, ("a", -1)),
        (_validation.one_of, ("a", "b", "cd")),
        (_validation.matrix, ("a", np.zeros((2, 0)))),
        (_validation.like, ("a", np.zeros(2), (3,), np.dtype(np.float64))),
    ):
        assert re.fullmatch(r"a (is|has) [^\n]*; it must [^\n]*", sentence(check, *args))
