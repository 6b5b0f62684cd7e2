#!/usr/bin/env python3
"""One photo in, a 3D model out: python gen.py --rgb photo.jpg --out model.glb"""

from __future__ import annotations

from recon.cli.process import start

if __name__ == "__main__":
    start()
