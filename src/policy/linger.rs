//! How long a failed connection is still drained.

use std::time::Instant;

use super::limits::{LINGER_BYTES, LINGER_FIN, LINGER_QUIET, LINGER_TIME};

/// The budget of one lingering close.
#[derive(Debug, Clone, Copy)]
pub struct Linger {
    last: Instant,
    /// The peer's last byte.
    heard: Instant,
    /// Bytes that may still be dropped.
    bytes: usize,
    /// The FIN's time has come.
    finished: bool,
}

/// What is due when [`Linger::until`] has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    Fin,
    Close,
    /// The peer sent on and on: a reset tells it.
    Reset,
}

impl Linger {
    pub fn begin(now: Instant) -> Self {
        Linger { last: now + LINGER_TIME, heard: now, bytes: LINGER_BYTES, finished: false }
    }

    /// When something is due if the peer sends nothing more.
    pub fn until(&self) -> Instant {
        let patience = if self.finished || self.flooded() { LINGER_QUIET } else { LINGER_FIN };
        (self.heard + patience).min(self.last)
    }

    pub fn due(&mut self) -> Due {
        match (self.flooded(), std::mem::replace(&mut self.finished, true)) {
            (true, _) => Due::Reset,
            (false, false) => Due::Fin,
            (false, true) => Due::Close,
        }
    }

    /// Counts `bytes` that were read and dropped.
    pub fn drained(&mut self, bytes: usize, now: Instant) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.heard = now;
    }

    /// No more is to be read: what comes now waits in the kernel, and holds the peer up, until the alert has had its time.
    pub fn flooded(&self) -> bool {
        self.bytes == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_peer_gets_a_fin_and_then_the_close() {
        let now = Instant::now();
        let mut linger = Linger::begin(now);
        assert_eq!(linger.until(), now + LINGER_FIN);
        linger.drained(1, now + LINGER_FIN);
        assert_eq!(linger.until(), now + LINGER_FIN * 2);
        assert_eq!(linger.due(), Due::Fin);
        assert_eq!(linger.until(), now + LINGER_FIN + LINGER_QUIET);
        assert_eq!(linger.due(), Due::Close);
        linger.drained(1, now + LINGER_TIME);
        assert_eq!(linger.until(), now + LINGER_TIME);
    }

    #[test]
    fn a_flood_is_reset() {
        let now = Instant::now();
        let mut linger = Linger::begin(now);
        linger.drained(LINGER_BYTES - 1, now);
        assert!(!linger.flooded());
        linger.drained(1, now);
        assert!(linger.flooded());
        assert_eq!(linger.until(), now + LINGER_QUIET);
        assert_eq!(linger.due(), Due::Reset);
    }
}
