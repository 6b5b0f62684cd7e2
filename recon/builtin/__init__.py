"""The network that ships: the synthetic world that it learns from, the net, its trainer, its weights."""
