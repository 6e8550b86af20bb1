"""File formats: npz archives, JSON lines, trained models."""
