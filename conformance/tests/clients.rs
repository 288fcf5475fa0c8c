//! Real clients.

fn main() {}
