"""TripoSR (Tochilkin et al. 2024, arXiv:2403.02151): a triplane radiance field of a whole object from one photo of it.

Written after VAST-AI-Research/TripoSR at d26e331, its parts named as the published weights name them. Frames: TripoSR's own
has x towards the viewer, y right and z up; `field` turns it into that of `recon.render.cameras`.
"""
