//! Configuration: TOML → validated run-time types.
