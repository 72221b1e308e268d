"""Files: structures, tensors, archives. Reading never trusts what it reads."""
