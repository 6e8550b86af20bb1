"""Study the cause of DAE's sparsity (Sec. 3.1.1): variants of the noise and the smoothed ReLU."""
