//! Logs on the disk: written, read, cleaned, cut, damaged, and found again.

mod clean;
mod damage;
mod log;
mod log_dir;
mod model;
mod support;
mod threads;
