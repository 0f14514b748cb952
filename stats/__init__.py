"""Pure statistics: arrays in, frozen values out. No files, SQL, pandas, clock, or randomness without a seed."""
