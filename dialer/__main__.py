"""``python -m dialer``."""

from dialer.cli import main

main()
