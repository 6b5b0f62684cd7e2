"""`python -m recon` is the command line, as are `unflat` and `python gen.py`."""

from __future__ import annotations

from recon.cli.process import start

if __name__ == "__main__":
    start()
