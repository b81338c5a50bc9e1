"""The ways a run ends early that are no bug: one clear line, no traceback."""


class UserError(Exception):
    """A wrong flag, file or value, the user's to mend: exit code 2."""


class Stopped(Exception):
    """Ctrl-C, with everything saved: exit code 130."""


def first_line(err: Exception) -> str:
    """What a library's exception says, in one line."""
    return str(err).splitlines()[0] if str(err) else repr(err)
