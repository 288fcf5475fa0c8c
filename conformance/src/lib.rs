//! Judges real clusters.
