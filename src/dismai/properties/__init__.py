"""Properties that networks predict for a crystal as it is; they drive no atoms."""
