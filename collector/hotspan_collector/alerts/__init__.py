"""Alerts: what violations do is told to the outside, at least once.

A change is written into the outbox, a table of the store, in the evaluator's tick; the sender
delivers what stands there until the other side has taken it.
"""
