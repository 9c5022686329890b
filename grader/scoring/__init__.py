"""Verdicts in, report out: points, dependencies between checks, the status of the whole."""
