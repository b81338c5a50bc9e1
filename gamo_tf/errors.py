"""The one kind of error that is the user's to mend."""


class UserError(Exception):
    """A wrong flag, file or value: one clear line and exit code 2, no traceback."""
