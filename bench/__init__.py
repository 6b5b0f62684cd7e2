"""Benchmarks that print tables: `python -m bench` all; `python -m bench.speed`, `.startup`,
`.quality`, `.affine`, `.depth_range`, `.network`, `.objects` one each.

They measure on RGB-D frames where a folder of them is at hand (see bench.frames), and on an analytic room elsewhere;
`.objects` wants a folder of cut-out objects, scenes and meshes and is silent without one.
"""
