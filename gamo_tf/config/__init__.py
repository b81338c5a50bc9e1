"""Settings, datasets and methods as tables of facts. Standard library only, so that
every program can answer ``--help`` at once."""
