"""Why Regularized Auto-Encoders Learn Sparse Representation (Arpit, Zhou, Ngo, Govindaraju, ICML 2016) in NumPy.

Where to start reading: `activations` (jets), `autoencoder` (forward pass, chain rule), `penalties` (the paper's two
families), `objectives` (the models), `training` (the loop). Symbols are the paper's; the leading axis is the batch.
"""

__version__ = "0.1.0"
