"""The jobs table, which is the truth, and what may be done with it: by people (service), by workers (claims), by time
(housekeeping); and where files and uploads are kept."""
