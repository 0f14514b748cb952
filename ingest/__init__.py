"""Raw benchmark outputs in, stored runs out: parsers, host facts, the upload client, acceptance."""
