"""Methods to compare with: sparse coding (Eq. 2), maxout, recovery of a known dictionary."""
