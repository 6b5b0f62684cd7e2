"""How the network that ships is made: a synthetic world, the net in torch, its training, its scores and its export.

Nothing here is needed at run time: `recon.builtin` runs the exported file. See README.md.
"""
