"""Probes: run a part of a submission in a worker and save what was seen. One module per kind."""
