"""What the compiler says of the mechanisms that it emitted, as typed data."""
