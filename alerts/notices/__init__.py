"""Telling people: what is sent, to whom, in which form, and that it arrives."""
