"""Tests and intervals: pure functions of numbers, generators seeded by what is passed in."""
