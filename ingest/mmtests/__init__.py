"""Trees of MMTests on disk: which benchmarks ran in which iteration, and what the tree tells of its host."""
