"""Reports as data for other programs: pure functions from `GradeReport` to text."""
