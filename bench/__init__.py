"""Benchmarks that print tables. `python -m bench` prints all; `python -m bench.speed`, `.quality`, `.startup`, `.affine` one each.

They measure on RGB-D frames where a folder of them is at hand (see bench.frames), and on an analytic room elsewhere.
"""
