"""Questions answered: comparisons and trends built from the database with statistics, rendered for people."""
