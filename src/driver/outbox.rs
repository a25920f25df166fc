//! Clear bytes on their way from JavaScript to the engine.

use super::websocket::Speaker;
use crate::policy::limits;

#[derive(Default)]
pub(super) struct Outbox {
    pub bytes: Clear,
    /// The writer waits for [`super::Event::Drain`].
    pub waiting: bool,
    /// Of a WebSocket: what makes frames of messages, and those it has not made yet.
    pub speaker: Option<Box<Speaker>>,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 0 && self.speaker.as_ref().is_none_or(|speaker| speaker.is_idle())
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.speaker.as_ref().map_or(0, |speaker| speaker.waiting())
    }
}

/// Bytes that the engine can have.
#[derive(Default)]
pub(super) struct Clear {
    bytes: Vec<u8>,
    taken: usize,
    /// What has been pushed in all.
    pushed: u64,
}

impl Clear {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// How many bytes have been pushed so far, and how many of them were taken.
    pub fn progress(&self) -> (u64, u64) {
        (self.pushed, self.pushed - self.len() as u64)
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.push_with(bytes.len(), |waiting| waiting.extend_from_slice(bytes));
    }

    /// Lets `append` add about `expected` bytes.
    pub fn push_with<T>(&mut self, expected: usize, append: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        // Instead of growing; what is moved is never more than what was taken since the last time.
        if self.bytes.capacity() - self.bytes.len() < expected && self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        let before = self.bytes.len();
        let result = append(&mut self.bytes);
        self.pushed += (self.bytes.len() - before) as u64;
        result
    }

    /// The next bytes, of one record at most.
    pub fn next(&self) -> &[u8] {
        let waiting = &self.bytes[self.taken..];
        &waiting[..waiting.len().min(limits::DIRECT_WRITE)]
    }

    pub fn take(&mut self, count: usize) {
        self.taken += count;
        if self.len() == 0 {
            self.taken = 0;
            self.bytes.clear();
        }
    }

    /// Gives a large buffer back that is empty now.
    pub fn release(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > limits::OWN_BUFFER {
            self.bytes = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_never_empties_does_not_grow() {
        let mut outbox = Clear::default();
        let (mut pushed, mut seen) = (0_u8, 0_u8);
        let mut push = |outbox: &mut Clear| {
            outbox.push(&[pushed; 1000]);
            pushed = pushed.wrapping_add(1);
        };
        (0..10).for_each(|_| push(&mut outbox));
        for _ in 0..10_000 {
            push(&mut outbox);
            assert!(outbox.next()[..1000].iter().all(|byte| *byte == seen));
            outbox.take(1000);
            seen = seen.wrapping_add(1);
        }
        assert_eq!(outbox.len(), 10_000);
        assert!(outbox.bytes.capacity() < 50_000, "{}", outbox.bytes.capacity());
    }
}
