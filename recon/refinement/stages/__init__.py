"""What a refinement fits, one after another: a radiance field, then a mesh or a cloud of points."""
