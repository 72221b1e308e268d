"""Training: data, Lightning glue, checkpoints."""
