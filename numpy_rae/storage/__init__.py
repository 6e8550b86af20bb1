"""File formats: npz archives, JSON lines, trained models; the one way to replace a file."""
