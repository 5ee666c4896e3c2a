"""OpenTelemetry for Django and Celery, as hotspan needs it.

Nothing is imported here: `opentelemetry-instrument <command>` finds the distro by its entry point,
and `python -m hotspan_instrumentation doctor` says what that does in this environment.
"""
