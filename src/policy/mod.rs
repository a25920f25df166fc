//! Limits and deadlines: no I/O, and nothing here waits. Time is passed in.

mod access;
pub mod limits;
mod linger;
mod peers;

pub use access::Access;
pub use linger::{Due, Linger};
pub use peers::{Peers, Sender};
