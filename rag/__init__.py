"""Sanad (سند): cited answers, in Arabic or English, over a folder of articles."""

__version__ = "0.1.0"
