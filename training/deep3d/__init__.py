"""Deep3D: a second view learnt from stereo pairs alone (Xie, Girshick and Farhadi 2016, arXiv 1604.03650).

Photos are (B, 3, H, W) in [0, 1], sRGB. Disparities are x_left − x_right in pixels, positive in front of the screen, and
those of a plane are in pixels of the picture that the network sees; the published shift j is −d.
"""
