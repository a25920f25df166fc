//! Messages in, frames out.

use std::fmt;

use super::close;
use super::deflate::Deflater;
use super::frame::{Header, Kind, OpCode, Role, MAX_CONTROL};
use super::negotiate::Direction;
use super::pool::{self, Profile};
use super::Config;

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodeError {
    /// A message has been begun with `part` and not ended; or it is of another kind.
    MessageOpen,
    /// The payload of a ping or pong has more than 125 bytes.
    ControlTooLong,
    /// No Close frame may have this code.
    InvalidCloseCode(u16),
    /// A Close frame has been sent.
    Closed,
    /// As many pings as the limits allow wait for their pong.
    TooManyPings,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncodeError::MessageOpen => f.write_str("another message is being sent"),
            EncodeError::ControlTooLong => write!(f, "a ping or pong carries at most {MAX_CONTROL} bytes"),
            EncodeError::InvalidCloseCode(code) => write!(f, "invalid close code {code}"),
            EncodeError::Closed => f.write_str("the WebSocket is closing"),
            EncodeError::TooManyPings => f.write_str("too many pings wait for their pong"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// One direction of a connection: what we send. Every method appends to `out`, and nothing when it fails.
pub struct Encoder {
    masks: Option<Masks>,
    max_frame: usize,
    threshold: usize,
    deflater: Option<Deflater>,
    open: Option<Open>,
    closed: bool,
}

/// A message that was begun and not ended.
#[derive(Clone, Copy)]
struct Open {
    kind: Kind,
    compressed: bool,
    /// A frame of it has left.
    begun: bool,
}

impl Encoder {
    /// `deflate`: how we compress, if that was agreed.
    pub fn new(config: &Config, deflate: Option<Direction>) -> Self {
        Encoder {
            masks: (config.role == Role::Client).then(Masks::new),
            max_frame: config.max_frame.max(1),
            threshold: config.deflate.threshold,
            deflater: deflate.map(|direction| Deflater::new(direction, config.deflate.level)),
            open: None,
            closed: false,
        }
    }

    /// Largest payload of a frame from now on, in bytes, at least 1.
    pub fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes.max(1);
    }

    /// A whole message. Text must be UTF-8, which is not looked at: receivers fail the connection over anything else.
    pub fn message(&mut self, kind: Kind, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.open {
            Some(_) => Err(EncodeError::MessageOpen),
            None => self.part(kind, payload, true, out),
        }
    }

    /// A part of a message, which ends with the one that is `last`. Parts of text may end within a character.
    pub fn part(&mut self, kind: Kind, payload: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(kind, payload, last, true, out)
    }

    /// The same; a message that begins with it is not compressed.
    pub fn part_as_is(&mut self, kind: Kind, payload: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(kind, payload, last, false, out)
    }

    /// Whether a part of `length` bytes is work for the deflater; `wanted`: it may be, if a message begins with it.
    pub fn compresses(&self, length: usize, last: bool, wanted: bool) -> bool {
        match self.open {
            Some(open) => open.compressed,
            None => wanted && self.deflater.is_some() && (!last || length >= self.threshold),
        }
    }

    fn encode(
        &mut self,
        kind: Kind,
        payload: &[u8],
        last: bool,
        compress: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.check_open()?;
        let mut open = match self.open {
            Some(open) if open.kind == kind => open,
            Some(_) => return Err(EncodeError::MessageOpen),
            None => Open { kind, compressed: self.compresses(payload.len(), last, compress), begun: false },
        };
        if last || !payload.is_empty() {
            let opcode = if open.begun { OpCode::Continuation } else { kind.into() };
            match self.deflater.as_mut().filter(|_| open.compressed) {
                Some(deflater) => {
                    let mut scratch = pool::take_buffer();
                    deflater.part(payload, last, &mut scratch);
                    let no_gain = last && !open.begun && scratch.len() >= payload.len();
                    // With context takeover the receiver must see what the deflater has seen.
                    if no_gain && deflater.independent().is_some() {
                        self.frames(opcode, false, payload, last, out);
                    } else {
                        self.frames(opcode, !open.begun, &scratch, last, out);
                    }
                    pool::give_buffer(scratch);
                }
                None => self.frames(opcode, false, payload, last, out),
            }
            open.begun = true;
        }
        self.open = (!last).then_some(open);
        Ok(())
    }

    /// `payload`: at most 125 bytes.
    pub fn ping(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.control(OpCode::Ping, payload, out)
    }

    /// An answer to a ping, or one that nobody asked for. `payload`: at most 125 bytes.
    pub fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.control(OpCode::Pong, payload, out)
    }

    /// A Close frame: the last one. Without `code` it has no payload; of `reason` as much is sent as 123 bytes hold.
    pub fn close(&mut self, code: Option<u16>, reason: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.check_open()?;
        let payload = match code {
            Some(code) if close::is_valid(code) => close::payload(code, reason),
            Some(code) => return Err(EncodeError::InvalidCloseCode(code)),
            None => Vec::new(),
        };
        self.control(OpCode::Close, &payload, out)?;
        self.closed = true;
        Ok(())
    }

    /// Whether a message was begun and not ended.
    pub fn is_within_message(&self) -> bool {
        self.open.is_some()
    }

    /// Whether a Close frame has been sent.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// How a message that is encoded once for many may be compressed for this connection; `None`: not at all.
    pub(super) fn shared_profile(&self) -> Result<Option<Profile>, EncodeError> {
        self.check_open()?;
        if self.open.is_some() {
            return Err(EncodeError::MessageOpen);
        }
        Ok(self.deflater.as_ref().and_then(Deflater::independent))
    }

    fn check_open(&self) -> Result<(), EncodeError> {
        if self.closed {
            return Err(EncodeError::Closed);
        }
        Ok(())
    }

    fn control(&mut self, opcode: OpCode, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.check_open()?;
        if payload.len() > MAX_CONTROL {
            return Err(EncodeError::ControlTooLong);
        }
        Header::write(0x80 | opcode as u8, payload, self.masks.as_mut().map(Masks::next), out);
        Ok(())
    }

    fn frames(&mut self, opcode: OpCode, rsv1: bool, payload: &[u8], fin: bool, out: &mut Vec<u8>) {
        let masks = &mut self.masks;
        frames(opcode, rsv1, payload, fin, self.max_frame, || masks.as_mut().map(Masks::next), out);
    }
}

/// `payload` as frames of at most `max_frame` bytes. The first has `opcode` and `rsv1`, the last has `fin`.
pub(super) fn frames(
    opcode: OpCode,
    rsv1: bool,
    mut payload: &[u8],
    fin: bool,
    max_frame: usize,
    mut key: impl FnMut() -> Option<[u8; 4]>,
    out: &mut Vec<u8>,
) {
    let mut first = opcode as u8 | if rsv1 { 0x40 } else { 0 };
    while payload.len() > max_frame {
        let (piece, rest) = payload.split_at(max_frame);
        Header::write(first, piece, key(), out);
        first = OpCode::Continuation as u8;
        payload = rest;
    }
    Header::write(first | if fin { 0x80 } else { 0 }, payload, key(), out);
}

/// Masking keys, for tests: xorshift, the same every time.
struct Masks(u64);

impl Masks {
    fn new() -> Self {
        Masks(0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> [u8; 4] {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) as u32).to_ne_bytes()
    }
}
