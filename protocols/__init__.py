"""Treatment protocols: versioned TOML files, their schema and their loader."""
