"""How good Sanad is, measured on questions whose answers are known: gold, measures, reports, speed.

Nothing in `rag` but the shell's `eval` command imports this package.
"""
