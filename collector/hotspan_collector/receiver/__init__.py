"""OTLP receivers: gRPC and HTTP. What both must say alike stands in `answers`."""
