"""What only the workflow needs: its configuration, its jobs, its commands."""
