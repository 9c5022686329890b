"""Judges: saved evidence in, verdict out. Pure functions; nothing here runs anything."""
