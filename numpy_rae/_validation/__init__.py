"""Argument checks. Each raises ValueError with one sentence: the argument, its value, and what is allowed.

Other modules call a check by the name of this package, as in `_validation.matrix("x", x)`.
"""

from numpy_rae._validation.arrays import (
    ARRAYS,
    FLOATS,
    Array,
    DType,
    batch,
    describe_array,
    float_type,
    like,
    matrix,
    no_overflow,
    small,
    vector,
)
from numpy_rae._validation.images import image_shape, pixels
from numpy_rae._validation.names import one_of, user_path, version
from numpy_rae._validation.numbers import REALS, integer, number, tiny_is_zero
from numpy_rae._validation.objects import function, generator, instance
from numpy_rae._validation.params import encoder, pair

__all__ = [
    "ARRAYS",
    "Array",
    "DType",
    "FLOATS",
    "REALS",
    "batch",
    "describe_array",
    "encoder",
    "float_type",
    "function",
    "generator",
    "image_shape",
    "instance",
    "integer",
    "like",
    "matrix",
    "no_overflow",
    "number",
    "one_of",
    "pair",
    "pixels",
    "small",
    "tiny_is_zero",
    "user_path",
    "vector",
    "version",
]
