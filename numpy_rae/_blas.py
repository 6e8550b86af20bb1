"""Environment variables that limit BLAS to one thread.

They must be set before NumPy is imported. Later changes have no effect.
"""

ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
