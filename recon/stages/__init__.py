"""One verb per file: typed values and protocols in, a typed value out. Stages do not know each other's models."""
