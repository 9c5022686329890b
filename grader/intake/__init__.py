"""Intake: submissions found in folders and archives, and taken in as named bytes."""
