"""The Streamlit server, ended by Ctrl-C as quietly as by a service manager."""

from __future__ import annotations

import contextlib
import sys

import click
from streamlit.web.cli import main

if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, click.Abort):
        main(args=sys.argv[1:], standalone_mode=False)
