"""What a request meets: pages, the JSON API, who asks, how a form is read, what is sent back. Knows jobs, does no work."""
