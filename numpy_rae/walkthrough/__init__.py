"""One training step of a tiny auto-encoder with all its numbers. Each gradient is compared with a finite difference."""
