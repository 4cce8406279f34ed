"""``python -m dialer``, and the command ``dialer``.

Reading the program takes half a second, in which there is nothing to end in order: Ctrl-C then ends it at once and
without a word.
"""

import signal

_before = signal.getsignal(signal.SIGINT)
if _before is signal.default_int_handler:  # and not, say, ignored, as in the background of a script
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from dialer.cli import main  # noqa: E402  # after the lines above

signal.signal(signal.SIGINT, _before)

if __name__ == "__main__":
    main()
