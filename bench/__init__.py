"""Benchmarks that print tables: `python -m bench` all; `python -m bench.speed`, `.startup`, `.quality`, `.affine`,
`.depth_range`, `.lens_and_scale`, `.network`, `.objects`, `.augmented_views`, `.volume_rendering`, `.refinement`,
`.verdict`, `.web` one each.
`.turntables` makes a contact sheet of photos of things.

They measure on RGB-D frames where a folder of them is at hand (see bench.frames), and on an analytic room elsewhere;
`.objects` wants a folder of cut-out objects, scenes and meshes and is silent without one.
"""
