"""Benchmarks: each a module with ``main(argv) -> exit code``; its last line is ``NAME: figures``."""
