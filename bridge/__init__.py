"""Spans of OpenTelemetry become agent events: decoded, read in any of four dialects, joined."""
