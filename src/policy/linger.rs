//! How long a failed connection is still drained.

use std::time::Instant;

use super::limits::{LINGER_BYTES, LINGER_FIN, LINGER_QUIET, LINGER_TIME};

/// The budget of one lingering close.
#[derive(Debug, Clone, Copy)]
pub struct Linger {
    last: Instant,
    /// When the peer was heard last, at first the beginning.
    heard: Instant,
    bytes: usize,
}

impl Linger {
    pub fn begin(now: Instant) -> Self {
        Linger { last: now + LINGER_TIME, heard: now, bytes: LINGER_BYTES }
    }

    /// When to close if the peer sends nothing more.
    pub fn until(&self) -> Instant {
        self.last.min(self.heard + LINGER_QUIET)
    }

    /// When to send FIN if the peer sends nothing more.
    pub fn fin(&self) -> Instant {
        self.last.min(self.heard + LINGER_FIN)
    }

    /// Counts `bytes` that were read and dropped; false when it is time to close.
    pub fn drained(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.heard = now;
        self.bytes > 0 && now < self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_time_or_by_bytes() {
        let now = Instant::now();
        let mut linger = Linger::begin(now);
        assert_eq!(linger.until(), now + LINGER_QUIET);
        assert!(linger.drained(1, now + LINGER_QUIET));
        assert_eq!((linger.fin(), linger.until()), (now + LINGER_QUIET + LINGER_FIN, now + LINGER_QUIET * 2));
        assert!(!linger.drained(1, now + LINGER_TIME));
        assert!(!Linger::begin(now).drained(LINGER_BYTES, now));
    }
}
