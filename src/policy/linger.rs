//! How long a failed connection is still drained.

use std::time::Instant;

use super::limits::{LINGER_BYTES, LINGER_TIME};

/// The budget of one lingering close.
#[derive(Debug, Clone, Copy)]
pub struct Linger {
    until: Instant,
    bytes: usize,
}

impl Linger {
    pub fn begin(now: Instant) -> Self {
        Linger { until: now + LINGER_TIME, bytes: LINGER_BYTES }
    }

    pub fn until(&self) -> Instant {
        self.until
    }

    /// Counts `bytes` that were read and dropped; false when it is time to close.
    pub fn drained(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.bytes > 0 && now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_by_time_or_by_bytes() {
        let now = Instant::now();
        let mut linger = Linger::begin(now);
        assert!(linger.drained(1, now));
        assert!(!linger.drained(1, now + LINGER_TIME));
        assert!(!Linger::begin(now).drained(LINGER_BYTES, now));
    }
}
