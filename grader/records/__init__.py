"""The data that crosses every boundary: frozen, strict, versioned pydantic records."""
