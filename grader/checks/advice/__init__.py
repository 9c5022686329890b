"""Mistakes that show as an exception or in the source text, told by tables of rules."""
