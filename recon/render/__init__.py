"""Pure torch, differentiable: cameras, rays, fields, volumes, meshes and points made into pictures, and the losses on them.

OpenCV axes: x right, y down, z forward. Pixel centres lie at (u + 0.5, v + 0.5); the optical axis goes through the
picture's centre. Knows no files, no photo and no settings of a run.
"""
