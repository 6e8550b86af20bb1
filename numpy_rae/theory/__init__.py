"""Functions that compute the quantities in the paper's statements, one file per statement, and a monitor for Thm 1."""
