"""Tables, figures and the report of the paper, behind ``reproduce.py``."""
