//! A connection, as far as the event queue knows one.

use std::sync::atomic::{AtomicUsize, Ordering};

#[path = "../../../src/driver/frame.rs"]
mod frame;

pub use frame::Frame;

/// Stands in for the driver's connection, which would bring the runtime and the sockets along.
pub struct Connection {
    id: u32,
    inbound: AtomicUsize,
}

impl Connection {
    pub fn new(id: u32) -> Self {
        Connection { id, inbound: AtomicUsize::new(0) }
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    /// Clear bytes that wait in the queue.
    pub fn inbound(&self) -> usize {
        self.inbound.load(Ordering::Acquire)
    }

    /// Counts bytes before they are handed to the queue.
    pub fn received(&self, bytes: usize) {
        self.inbound.fetch_add(bytes, Ordering::AcqRel);
    }

    /// The queue has handed everything over.
    pub fn consumed(&self) {
        self.inbound.store(0, Ordering::Release);
    }
}
