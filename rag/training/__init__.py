"""How the bundled models and tables were made. Nothing outside this package imports it."""
