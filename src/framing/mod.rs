//! Bytes to messages: no socket, no clock, no JavaScript.
//!
//! A [`Framing`] says where messages end, a [`Framer`] holds what one connection has sent of an unfinished one. Work is
//! linear in the bytes, whatever they are and however they are cut, and what is held is bounded by the framing's limit.

mod needle;
pub mod websocket;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::error::{Error, Result};

use needle::Needle;

/// One message, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    pub bytes: &'a [u8],
    /// Its delimiter was there, or the record is complete.
    pub ended: bool,
}

/// What becomes of a message that is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It is given in parts of the limit's length; only the last one has [`Message::ended`].
    Flush,
    /// `ERR_C4TLS_MESSAGE_TOO_LARGE`.
    Fail,
}

/// Where messages end. A cheap clone.
#[derive(Debug, Clone)]
pub enum Framing {
    /// Bytes as they come; none of them counts as ended.
    Chunks,
    Delimiter(Delimiter),
    /// CR, LF or CRLF ends a line. It is removed, unless `keep`; then a line feed that comes later than its CR is lost. A
    /// line of more than `limit` bytes comes in parts.
    Lines {
        limit: usize,
        keep: bool,
    },
    /// Messages of this many bytes.
    Record {
        length: usize,
    },
}

/// See [`Framing::delimiter`].
#[derive(Debug, Clone)]
pub struct Delimiter {
    needle: Arc<Needle>,
    keep: bool,
    limit: usize,
    overflow: Overflow,
}

impl Framing {
    /// A byte string ends a message, and is a part of it with `keep`. `limit`: bytes in front of it; 0 counts as 1.
    /// Errors: `ERR_INVALID_ARG_VALUE` for an empty delimiter.
    pub fn delimiter(bytes: &[u8], keep: bool, limit: usize, overflow: Overflow) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::new("ERR_INVALID_ARG_VALUE", "A delimiter has one byte at least"));
        }
        let needle = Arc::new(Needle::new(bytes));
        Ok(Framing::Delimiter(Delimiter { needle, keep, limit: limit.max(1), overflow }))
    }

    /// `limit`: bytes in front of the line's end; 0 counts as 1.
    pub fn lines(limit: usize, keep: bool) -> Self {
        Framing::Lines { limit: limit.max(1), keep }
    }

    /// Errors: `ERR_OUT_OF_RANGE` for a length of 0.
    pub fn record(length: usize) -> Result<Self> {
        match length {
            0 => Err(Error::new("ERR_OUT_OF_RANGE", "A record has one byte at least")),
            length => Ok(Framing::Record { length }),
        }
    }
}

/// The bounds of messages with an end mark.
#[derive(Clone, Copy)]
struct Bounds {
    keep: bool,
    limit: usize,
    overflow: Overflow,
}

impl Bounds {
    /// The parts that are due before the message's last; gives how many bytes they are. `sure`: how many bytes of `whole`
    /// are the message's for certain.
    fn flush(self, whole: &[u8], sure: usize, out: &mut dyn FnMut(Message<'_>)) -> Result<usize> {
        let mut at = 0;
        while sure - at > self.limit {
            if self.overflow == Overflow::Fail {
                let message = format!("A message has more than {} bytes", self.limit);
                return Err(Error::new("ERR_C4TLS_MESSAGE_TOO_LARGE", message));
            }
            out(Message { bytes: &whole[at..at + self.limit], ended: false });
            at += self.limit;
        }
        Ok(at)
    }
}

/// Cuts what one connection sends.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    /// The unfinished message, and what may be the beginning of its delimiter.
    buffer: Vec<u8>,
    /// How much of the delimiter the last bytes are.
    matched: usize,
    /// A line ended in CR: a line feed right behind it belongs to the same end.
    after_cr: bool,
    pushes: u32,
}

impl Framer {
    pub fn new(framing: Framing) -> Self {
        Framer { framing, buffer: Vec::new(), matched: 0, after_cr: false, pushes: 0 }
    }

    /// Whether something is held of an unfinished message.
    pub fn is_waiting(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Another number after every push.
    pub fn pushes(&self) -> u32 {
        self.pushes
    }

    /// Takes bytes and gives the messages that end in them. A message that is found whole in `bytes` is a slice of it.
    /// Errors: `ERR_C4TLS_MESSAGE_TOO_LARGE`, behind the messages before it; what was held is dropped.
    pub fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(Message<'_>)) -> Result<()> {
        self.pushes = self.pushes.wrapping_add(1);
        let pushed = self.cut(bytes, out);
        if pushed.is_err() {
            self.reset();
        }
        pushed
    }

    /// No more comes: gives what is held of an unfinished message.
    pub fn finish(&mut self, out: &mut dyn FnMut(Message<'_>)) {
        let most = match &self.framing {
            Framing::Lines { limit, .. } => *limit,
            Framing::Delimiter(Delimiter { limit, overflow: Overflow::Flush, .. }) => *limit,
            _ => usize::MAX,
        };
        for bytes in self.buffer.chunks(most) {
            out(Message { bytes, ended: false });
        }
        self.reset();
    }

    /// Cuts in another way from now on, beginning with the bytes that are held.
    pub fn reconfigure(&mut self, framing: Framing, out: &mut dyn FnMut(Message<'_>)) -> Result<()> {
        self.framing = framing;
        self.matched = 0;
        let held = std::mem::take(&mut self.buffer);
        self.push(&held, out)
    }

    /// Gives memory back that is not needed for what is held.
    pub fn release_buffers(&mut self) {
        if self.buffer.capacity() > 2 * self.buffer.len() {
            self.buffer.shrink_to_fit();
        }
    }

    fn reset(&mut self) {
        self.buffer = Vec::new();
        self.matched = 0;
        self.after_cr = false;
    }

    fn cut(&mut self, mut bytes: &[u8], out: &mut dyn FnMut(Message<'_>)) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.after_cr) {
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        let Framer { framing, buffer, matched, after_cr, .. } = self;
        match framing {
            Framing::Chunks => {
                if !bytes.is_empty() {
                    out(Message { bytes, ended: false });
                }
            }
            Framing::Record { length } => records(*length, buffer, bytes, out),
            Framing::Delimiter(Delimiter { needle, keep, limit, overflow }) => {
                let bounds = Bounds { keep: *keep, limit: *limit, overflow: *overflow };
                while let Some(end) = needle.find(bytes, matched) {
                    complete(bounds, buffer, &bytes[..end], needle.len(), out)?;
                    bytes = &bytes[end..];
                }
                hold(bounds, buffer, bytes, *matched, out)?;
            }
            Framing::Lines { limit, keep } => {
                let bounds = Bounds { keep: *keep, limit: *limit, overflow: Overflow::Flush };
                while let Some(at) = memchr::memchr2(b'\r', b'\n', bytes) {
                    let mark = if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
                    let (line, rest) = bytes.split_at(at + mark);
                    complete(bounds, buffer, line, mark, out)?;
                    bytes = rest;
                    *after_cr = bytes.is_empty() && line.ends_with(b"\r");
                }
                hold(bounds, buffer, bytes, 0, out)?;
            }
        }
        Ok(())
    }
}

/// `last` ends the message with a mark of `mark` bytes, which may have begun in `buffer`.
fn complete(
    bounds: Bounds,
    buffer: &mut Vec<u8>,
    last: &[u8],
    mark: usize,
    out: &mut dyn FnMut(Message<'_>),
) -> Result<()> {
    let whole = if buffer.is_empty() {
        last
    } else {
        buffer.extend_from_slice(last);
        &buffer[..]
    };
    let length = whole.len() - mark;
    let from = bounds.flush(whole, length, out)?;
    let to = if bounds.keep { whole.len() } else { length };
    out(Message { bytes: &whole[from..to], ended: true });
    buffer.clear();
    Ok(())
}

/// `bytes` have no end; the last `doubtful` of the message so far may be the beginning of one.
fn hold(
    bounds: Bounds,
    buffer: &mut Vec<u8>,
    bytes: &[u8],
    doubtful: usize,
    out: &mut dyn FnMut(Message<'_>),
) -> Result<()> {
    if buffer.is_empty() {
        let given = bounds.flush(bytes, bytes.len() - doubtful, out)?;
        buffer.extend_from_slice(&bytes[given..]);
    } else {
        buffer.extend_from_slice(bytes);
        let given = bounds.flush(buffer, buffer.len() - doubtful, out)?;
        buffer.drain(..given);
    }
    Ok(())
}

fn records(length: usize, buffer: &mut Vec<u8>, mut bytes: &[u8], out: &mut dyn FnMut(Message<'_>)) {
    if !buffer.is_empty() {
        let (missing, rest) = bytes.split_at(bytes.len().min(length - buffer.len()));
        buffer.extend_from_slice(missing);
        bytes = rest;
        if buffer.len() < length {
            return;
        }
        out(Message { bytes: buffer, ended: true });
        buffer.clear();
    }
    let mut whole = bytes.chunks_exact(length);
    for bytes in &mut whole {
        out(Message { bytes, ended: true });
    }
    buffer.extend_from_slice(whole.remainder());
}
