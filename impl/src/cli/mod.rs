//! To come.

pub fn main() {}
