"""The tables' versions, oldest first."""
