"""The `grader` command: arguments in, exit codes out."""
