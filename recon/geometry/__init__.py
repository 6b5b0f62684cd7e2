"""Pure numpy (and OpenCV's image filters): cameras, depth maps, points, meshes, colour. No files, no models.

Conventions of `recon.types` hold throughout. Maps are h×w; a map's pixel (row i, column j) has its centre at
(u, v) = (j + 0.5, i + 0.5).
"""
