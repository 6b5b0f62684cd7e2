"""Refinement: from the fast path's solid to a better closed, textured mesh."""
