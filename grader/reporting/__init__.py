"""What people read: the score report, the class page, and the same in a terminal.

Everything here is a pure function from `GradeReport` to text.
"""
