"""One training step of a tiny auto-encoder in numbers, with a finite difference beside each gradient."""
