"""What a freshly forked worker does to itself before any student code is loaded."""
