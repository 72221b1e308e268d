"""Readers of files of structures, one module a format; `dismai.io` offers them."""
