"""Assignments: loading, validating, the built-in ones, and the registry of kinds."""
