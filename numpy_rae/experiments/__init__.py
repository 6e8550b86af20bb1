"""Many training runs: protocols, sweeps, workers, records, checkpoints, tables, command lines."""
