"""Beta brass, CuZn on a bcc lattice: a kind of datasets small enough to read at once."""
