"""Who rings the workers. The table is the truth; an engine is only a doorbell."""
