"""The paper's empirical claims and the rules that decide them. The script claims.py prints their tables."""
