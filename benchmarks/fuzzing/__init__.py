"""The parts of benchmarks/fuzz.py: `made` makes well-formed files, `broken` breaks them, `readers` reads and
judges them.
"""
