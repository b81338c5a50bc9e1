"""The programs that are started from a shell.

Each module has ``main(argv: list[str] | None = None) -> int``, which returns the exit
code: 0, 2 for something that the user can put right, 130 for Ctrl-C. The scripts at the
root of the repository and the installed program ``gamo`` start these same functions.
"""
