//! What a peer may ask of one connection.

use std::time::{Duration, Instant};

/// Bytes of a request's head, from its first line to the empty line: Node's `maxHeaderSize`. Beyond it the answer is 431,
/// or 414 when not even the first line has ended.
pub const HEAD_BYTES: usize = 16 * 1024;

/// Header fields of a request; browsers send some fifteen. Beyond it the answer is 431.
pub const HEADERS: usize = 100;

/// Bytes that are inflated at a time where parts are given as they come: a full TLS record's worth for each event.
pub const INFLATE_CHUNK: usize = 16 * 1024;

/// Bounds on what a peer sends once the connection is open. Whoever goes beyond one gets a Close frame with the code named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Payload bytes of one frame as its header declares them, before inflating: 1009. Default 16 MiB.
    pub frame: u64,
    /// Bytes of one message after inflating, whether it is put together or given in parts: 1009. Default 16 MiB.
    pub message: u64,
    /// Frames of one message: 1008. Default 131,072: 16 MiB in frames of 128 bytes; Autobahn sends 65,536.
    pub fragments: u32,
    /// Pings and pongs that come within one second: 1008. Default 1,000. Each ping costs an answer and an event.
    pub control_frames: u32,
    /// Our own pings that wait for their pong; beyond it `Session::ping` fails. Default 64.
    pub pings: u32,
    /// Bytes of a request's head: 431 or 414. Default and at most [`HEAD_BYTES`].
    pub head_bytes: usize,
    /// Header fields of a request: 431. Default and at most [`HEADERS`].
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            frame: 16 << 20,
            message: 16 << 20,
            fragments: 1 << 17,
            control_frames: 1_000,
            pings: 64,
            head_bytes: HEAD_BYTES,
            headers: HEADERS,
        }
    }
}

/// Counts what comes within one second of the first.
#[derive(Debug, Default)]
pub(super) struct Rate {
    since: Option<Instant>,
    count: u32,
}

impl Rate {
    /// Counts one more; false when that is more than `most`.
    pub(super) fn count(&mut self, now: Instant, most: u32) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            *self = Rate { since: Some(now), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= most
    }
}
