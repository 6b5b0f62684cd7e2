"""Benchmarks that print tables: `python -m bench` all; `python -m bench.speed`, `.startup`,
`.quality`, `.affine`, `.depth_range` one each.

They measure on RGB-D frames where a folder of them is at hand (see bench.frames), and on an analytic room elsewhere.
"""
