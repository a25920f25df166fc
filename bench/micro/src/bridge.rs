//! The event queue: the one part of the bridge that needs no Node-API.

use std::sync::Arc;

use crate::driver::Connection;
use queue::{kind, Batch, Queue, WORDS};

#[path = "../../../src/bridge/queue.rs"]
#[allow(dead_code)] // The rest of it is for the rest of the bridge.
mod queue;

/// The queue and the batch that JavaScript works on, as an environment has them.
#[derive(Default)]
pub struct EventQueue {
    queue: Queue,
    batch: Batch,
}

impl EventQueue {
    /// Clear bytes of `connection`.
    pub fn data(&mut self, connection: &Arc<Connection>, bytes: &[u8]) {
        connection.received(bytes.len());
        self.queue.push_data(connection, bytes);
    }

    /// An event without a payload.
    pub fn plain(&mut self, target: u32) {
        self.queue.push(target, kind::DRAIN, 0, &[]);
    }

    /// Takes what waits, tells its connections and gives the number of events.
    pub fn take(&mut self) -> usize {
        self.batch.clear();
        let (batch, told) = self.queue.take(std::mem::take(&mut self.batch));
        self.batch = batch;
        for connection in told {
            connection.consumed();
        }
        self.batch.words.len() / WORDS
    }
}
