"""Reading and writing: photos, masks and depth maps in; models, clouds, depth maps and pictures out."""
