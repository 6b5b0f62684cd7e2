"""Who tells a refinement how the subject looks from where the photo did not see it."""
