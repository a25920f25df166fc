//! Clear bytes, and a file, on their way from JavaScript to the engine.

use std::path::PathBuf;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::file::FileSource;
use super::websocket::Speaker;
use crate::error::Result;
use crate::policy::limits;

#[derive(Default)]
pub(super) struct Outbox {
    pub bytes: Clear,
    /// The writer waits for [`super::Event::Drain`].
    pub waiting: bool,
    /// Behind `bytes`, whose end are its first blocks.
    file: Option<Box<Sending>>,
    /// Of a WebSocket: what makes frames of messages, and those it has not made yet.
    pub speaker: Option<Box<Speaker>>,
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

    /// As if the last `count` bytes that wait, or all of them, had not been pushed.
    fn withdraw(&mut self, count: u64) {
        let count = count.min(self.len() as u64);
        self.bytes.truncate(self.bytes.len() - count as usize);
        self.pushed -= count;
        self.take(0);
    }

    /// Gives a large buffer back that is not needed now.
    pub fn release(&mut self) {
        if self.bytes.is_empty() && self.bytes.capacity() > limits::OWN_BUFFER {
            self.bytes = Vec::new();
        }
    }
}

impl Outbox {
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == 0 && self.file.is_none() && self.speaker.as_ref().is_none_or(|speaker| speaker.is_idle())
    }

    /// Nothing waits, and nobody for it to leave.
    pub fn is_quiet(&self) -> bool {
        self.is_empty() && !self.waiting
    }

    /// Bytes that wait, without those of a file that were not read yet.
    pub fn len(&self) -> usize {
        let behind = self.file.as_ref().map_or(0, |file| file.behind.len());
        self.bytes.len() + behind + self.speaker.as_ref().map_or(0, |speaker| speaker.waiting())
    }

    pub fn push(&mut self, bytes: &[u8]) {
        match &mut self.file {
            Some(file) => file.behind.extend_from_slice(bytes),
            None => self.bytes.push(bytes),
        }
    }

    /// Sends a file behind what waits; on a WebSocket as one message. False: there is one already, or a message is under
    /// way.
    pub fn send_file(&mut self, path: PathBuf) -> bool {
        if self.file.is_some() || self.speaker.as_mut().is_some_and(|speaker| !speaker.send_file()) {
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
        let Some(file) = &mut self.file else { return };
        while !file.interrupted && file.outcome.is_none() && self.bytes.len() <= limits::FILE_BLOCK {
            let polled = match &mut self.speaker {
                None => self.bytes.push_with(limits::FILE_BLOCK, |bytes| file.source.poll_block(pool, cx, bytes)),
                Some(speaker) if !speaker.reaches_file() => return,
                Some(speaker) => {
                    let mut block = Vec::new();
                    let polled = file.source.poll_block(pool, cx, &mut block);
                    if !block.is_empty() {
                        speaker.say_of_file(&block, false, &mut self.bytes);
                    }
                    polled
                }
            };
            match polled {
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
        let (pushed, taken) = self.bytes.progress();
        let file = self.file.as_mut()?;
        // The bytes in front of it leave first.
        let sent = match self.speaker {
            None => taken.saturating_sub(pushed - file.source.read()),
            // Counted with the heads of its frames.
            Some(_) => file.source.read().saturating_sub(pushed - taken),
        };
        if sent.saturating_sub(file.told) < if end { 1 } else { limits::FILE_PROGRESS } {
            return None;
        }
        file.told = sent;
        Some((sent, file.source.total()))
    }

    /// Whether the file ends now; `flushed`: all that was encrypted is with the kernel.
    pub fn file_ends(&self, flushed: bool) -> bool {
        let left = flushed && self.bytes.len() == 0;
        self.file.as_ref().is_some_and(|file| file.interrupted || (left && file.outcome.is_some()))
    }

    /// Ends the file; what was sent behind it goes on. Call [`file_progress`](Self::file_progress) before.
    pub fn end_file(&mut self) -> Option<FileEnd> {
        let Sending { source, behind, interrupted, outcome, .. } = *self.file.take()?;
        match &mut self.speaker {
            None => self.bytes.withdraw(source.read()),
            // Whatever has become of it, its message ends.
            Some(speaker) if source.read() > 0 || matches!(outcome, Some(Ok(()))) => {
                speaker.say_of_file(&[], true, &mut self.bytes);
            }
            Some(_) => {}
        }
        self.bytes.push(&behind);
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
