"""The paper's statements as quantities to compute, one file per statement, and the monitor of Thm 1."""
