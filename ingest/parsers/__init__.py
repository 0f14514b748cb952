"""Text of one benchmark output in, records out. Pure: no files, no database."""
