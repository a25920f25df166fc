//! Clear bytes, and a file, on their way from JavaScript to the engine.

use std::path::PathBuf;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::file::FileSource;
use crate::error::Result;
use crate::policy::limits;

#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    taken: usize,
    /// The writer waits for [`super::Event::Drain`].
    pub waiting: bool,
    /// Behind `bytes`, whose end are its first blocks.
    file: Option<Box<Sending>>,
}

/// A file that is being sent.
struct Sending {
    source: FileSource,
    /// What was sent after it.
    behind: Vec<u8>,
    /// How far its owner knows that it has come.
    told: u64,
    interrupted: bool,
    /// No more of it is read.
    outcome: Option<Result<()>>,
}

/// How a file ended.
pub(super) enum FileEnd {
    Interrupted,
    /// All that was read has left.
    Over(Result<()>),
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.ready() == 0 && self.file.is_none()
    }

    /// Bytes that wait, without those of a file that were not read yet.
    pub fn len(&self) -> usize {
        self.ready() + self.file.as_ref().map_or(0, |file| file.behind.len())
    }

    /// Bytes that can leave now.
    pub fn ready(&self) -> usize {
        self.bytes.len() - self.taken
    }

    pub fn push(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.file {
            file.behind.extend_from_slice(bytes);
            return;
        }
        self.make_room(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Instead of growing; what is moved is never more than what was taken since the last time.
    fn make_room(&mut self, length: usize) {
        if self.bytes.capacity() - self.bytes.len() < length && self.taken >= self.ready() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// The next bytes, of one record at most.
    pub fn next(&self) -> &[u8] {
        let waiting = &self.bytes[self.taken..];
        &waiting[..waiting.len().min(limits::DIRECT_WRITE)]
    }

    pub fn take(&mut self, count: usize) {
        self.taken += count;
        if self.ready() == 0 {
            self.taken = 0;
            self.bytes.clear();
        }
    }

    /// Gives a large buffer back that is not needed now.
    pub fn release(&mut self) {
        if self.is_empty() && self.bytes.capacity() > limits::OWN_BUFFER {
            self.bytes = Vec::new();
        }
    }

    /// Sends a file behind what waits. False: there is one already.
    pub fn send_file(&mut self, path: PathBuf) -> bool {
        if self.file.is_some() {
            return false;
        }
        self.file = Some(Box::new(Sending {
            source: FileSource::new(path),
            behind: Vec::new(),
            told: 0,
            interrupted: false,
            outcome: None,
        }));
        true
    }

    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// What of the file is not encrypted is not sent. False: there is none.
    pub fn interrupt_file(&mut self) -> bool {
        let Some(file) = &mut self.file else { return false };
        file.interrupted = true;
        true
    }

    /// Reads on in the file while little waits: a block is on its way in front of the one that is read.
    pub fn read_file(&mut self, pool: &Handle, cx: &mut Context<'_>) {
        while self.ready() <= limits::FILE_BLOCK {
            self.make_room(limits::FILE_BLOCK);
            let Some(file) = &mut self.file else { return };
            if file.interrupted || file.outcome.is_some() {
                return;
            }
            match file.source.poll_block(pool, cx, &mut self.bytes) {
                Poll::Pending => return,
                Poll::Ready(Ok(true)) => {}
                Poll::Ready(Ok(false)) => file.outcome = Some(Ok(())),
                Poll::Ready(Err(error)) => file.outcome = Some(Err(error)),
            }
        }
    }

    /// Bytes of the file that have come to the engine, and its size, when that is news: at least
    /// [`limits::FILE_PROGRESS`] more than last time, or at the `end` any.
    pub fn file_progress(&mut self, end: bool) -> Option<(u64, u64)> {
        let ready = self.ready() as u64;
        let file = self.file.as_mut()?;
        // The bytes in front of it leave first.
        let sent = file.source.read().saturating_sub(ready);
        if sent - file.told < if end { 1 } else { limits::FILE_PROGRESS } {
            return None;
        }
        file.told = sent;
        Some((sent, file.source.total()))
    }

    /// Whether the file ends now; `flushed`: all that was encrypted is with the kernel.
    pub fn file_ends(&self, flushed: bool) -> bool {
        let left = flushed && self.ready() == 0;
        self.file.as_ref().is_some_and(|file| file.interrupted || (left && file.outcome.is_some()))
    }

    /// Ends the file; what was sent behind it goes on. Call [`file_progress`](Self::file_progress) before.
    pub fn end_file(&mut self) -> Option<FileEnd> {
        let Sending { source, behind, interrupted, outcome, .. } = *self.file.take()?;
        let unsent = (self.ready() as u64).min(source.read()) as usize;
        self.bytes.truncate(self.bytes.len() - unsent);
        self.take(0);
        self.push(&behind);
        match outcome {
            Some(outcome) if !interrupted => Some(FileEnd::Over(outcome)),
            _ => Some(FileEnd::Interrupted),
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
