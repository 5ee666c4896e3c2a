"""`INSTALLED_APPS += ["hotspan_instrumentation.django"]`."""
