"""One reader per benchmark of MMTests: its logs in, samples in their printed unit out."""
