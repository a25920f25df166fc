//! Clear bytes on their way from JavaScript to the engine.

use crate::policy::limits;

#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    taken: usize,
    /// The writer waits for [`super::Event::Drain`].
    pub waiting: bool,
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub fn push(&mut self, bytes: &[u8]) {
        // Instead of growing; what is moved is never more than what was taken since the last time.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() && self.taken >= self.len() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next bytes, of one record at most.
    pub fn next(&self) -> &[u8] {
        let waiting = &self.bytes[self.taken..];
        &waiting[..waiting.len().min(limits::DIRECT_WRITE)]
    }

    pub fn take(&mut self, count: usize) {
        self.taken += count;
        if self.is_empty() {
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
        let mut outbox = Outbox::default();
        let (mut pushed, mut seen) = (0_u8, 0_u8);
        let mut push = |outbox: &mut Outbox| {
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
