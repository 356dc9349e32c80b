"""The command `usenhance`: files in, files out.

Exit codes: 0 done, 1 the work failed, 2 bad arguments or input, 130 cancelled with Ctrl-C. What goes wrong is
one line on standard error; a traceback is printed only with --debug.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from .arguments import build_parser
from .console import Console
from .failures import exit_code, print_failure
from .streams import prepare_streams, silence_libraries

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with the arguments `argv`, by default those of the process; return its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    debug = "--debug" in words
    prepare_streams()
    try:
        with silence_libraries(unless=debug):
            arguments = build_parser().parse_args(words)
            with Console(quiet=getattr(arguments, "quiet", False)) as console:
                import_module(f".{arguments.command}", __package__).run(arguments, console)
            sys.stdout.flush()
    except SystemExit as request:  # --help and --version
        return int(request.code or 0)
    except BaseException as error:
        print_failure(error, debug)
        return exit_code(error)
    return 0
