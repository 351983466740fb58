//! The `greyplane` program: arguments, logging and exit codes.
fn main() {}
