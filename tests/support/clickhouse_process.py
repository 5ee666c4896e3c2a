"""Runs ClickHouse's engine from its library, as `clickhouse local` with these arguments.

A script, not a module: `python clickhouse_process.py LIBRARY ARGUMENT…`.
"""

import ctypes
import sys


def main() -> None:
    library, *arguments = sys.argv[1:]
    argv = [b"clickhouse", *(argument.encode() for argument in arguments)]
    run = ctypes.CDLL(library).chdb_query_cmdline
    run.restype = ctypes.c_void_p
    run(len(argv), (ctypes.c_char_p * len(argv))(*argv))
    sys.exit("ClickHouse ended by itself; see the lines above")


if __name__ == "__main__":
    main()
