"""Where the sparsity of DAE comes from (Sec. 3.1.1): noise variants and the smoothed ReLU."""
