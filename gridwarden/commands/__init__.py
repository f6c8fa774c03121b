"""The commands of `gridwarden`, one file each. With --json: one JSON object (or lines) on stdout and nothing else."""
