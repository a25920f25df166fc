//! Limits and deadlines: numbers and arithmetic only. Time is passed in; nothing here waits.

pub mod limits;
mod linger;

pub use linger::{Due, Linger};
