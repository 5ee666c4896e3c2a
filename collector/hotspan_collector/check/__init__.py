"""Runs the rules over files of OTLP, in memory: `hotspan check`."""
