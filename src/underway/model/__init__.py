"""Values only: frozen dataclasses, enums and NewTypes. No I/O, no clock, no randomness."""
