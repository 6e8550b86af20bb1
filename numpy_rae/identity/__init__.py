"""Identify training runs. The record of a run is stored under the hash of its identity."""
