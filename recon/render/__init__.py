"""Differentiable rendering: rays, sampling, fields, volumes, meshes, losses. Pure torch; knows no files and no settings of
a run."""
