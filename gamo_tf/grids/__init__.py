"""The paper's tables, figures and theorem, repeated, and the report over all runs."""
