"""Judge new data, open and close alerts, tell people."""
