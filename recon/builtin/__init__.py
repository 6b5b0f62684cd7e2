"""The network that ships, at run time: its weights, what it says about a photo, and the subject that it sees."""
