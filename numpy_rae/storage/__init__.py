"""File formats: npz archives, JSON lines and trained models. Also the function by which every file is replaced."""
