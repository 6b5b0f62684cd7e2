"""The command line: `unflat`, `python -m recon` and `python gen.py` are the same."""
