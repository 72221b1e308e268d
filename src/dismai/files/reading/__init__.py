"""Readers of files of structures, one module a format; `dismai.files.structures` offers them."""
