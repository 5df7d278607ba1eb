//! The integration tests: one binary that drives the built rrun.

fn main() {}
