"""What a worker process does: a lane's work on one job at a time."""
