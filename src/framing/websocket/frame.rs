//! Headers of frames (RFC 6455, 5.2).

use std::fmt;

use super::close;
use super::mask::Key;

/// Bytes of the longest header: two, eight for the length, four for the masking key.
pub(super) const MAX_HEADER: usize = 14;
/// Bytes of a control frame's payload at most.
pub const MAX_CONTROL: usize = 125;

/// Which end of the connection this is. What a client sends is masked, what a server sends is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Server,
    /// For tests and measurements: its masking keys can be foretold.
    Client,
}

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    Binary,
}

/// Why a connection fails: the close code (RFC 6455, 7.4.1) and a text for its Close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub code: u16,
    pub reason: &'static str,
}

impl Failure {
    pub(super) fn protocol(reason: &'static str) -> Self {
        Failure { code: close::PROTOCOL_ERROR, reason }
    }

    pub(super) fn payload(reason: &'static str) -> Self {
        Failure { code: close::INVALID_PAYLOAD, reason }
    }

    pub(super) fn policy(reason: &'static str) -> Self {
        Failure { code: close::POLICY_VIOLATION, reason }
    }

    pub(super) fn too_big(reason: &'static str) -> Self {
        Failure { code: close::TOO_BIG, reason }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Failure {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum OpCode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl OpCode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => OpCode::Continuation,
            1 => OpCode::Text,
            2 => OpCode::Binary,
            8 => OpCode::Close,
            9 => OpCode::Ping,
            10 => OpCode::Pong,
            _ => return None,
        })
    }

    pub(super) fn is_control(self) -> bool {
        self as u8 & 8 != 0
    }
}

impl From<Kind> for OpCode {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => OpCode::Text,
            Kind::Binary => OpCode::Binary,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub fin: bool,
    /// RSV1, which marks a compressed message. The other reserved bits are never set.
    pub rsv1: bool,
    pub opcode: OpCode,
    pub length: u64,
    pub key: Option<Key>,
}

impl Header {
    /// How long the header is that begins with `bytes`, as far as these tell: never more than it is.
    pub(super) fn size(bytes: &[u8]) -> usize {
        let Some(second) = bytes.get(1) else { return 2 };
        let length = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + length + if second & 0x80 != 0 { 4 } else { 0 }
    }

    /// The header at the beginning of `bytes`, and its size; `None` while it is not complete. What is wrong with its first
    /// two bytes is seen without waiting for the others.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Failure> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let Some(opcode) = OpCode::from_bits(first & 0x0f) else {
            return Err(Failure::protocol("reserved opcode"));
        };
        let (fin, rsv1) = (first & 0x80 != 0, first & 0x40 != 0);
        if first & 0x30 != 0 {
            return Err(Failure::protocol("reserved bits are set"));
        }
        if opcode.is_control() && !fin {
            return Err(Failure::protocol("fragmented control frame"));
        }
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if opcode.is_control() && usize::from(second & 0x7f) > MAX_CONTROL {
            return Err(Failure::protocol("control frame too long"));
        }
        let size = Header::size(bytes);
        let Some(rest) = bytes.get(2..size) else { return Ok(None) };
        let (length, key) = rest.split_at(rest.len() - if second & 0x80 != 0 { 4 } else { 0 });
        let length = match *length {
            [a, b] => Header::minimal(u16::from_be_bytes([a, b]).into(), 126)?,
            [a, b, c, d, e, f, g, h] => Header::minimal(u64::from_be_bytes([a, b, c, d, e, f, g, h]), 1 << 16)?,
            _ => u64::from(second & 0x7f),
        };
        let key = <[u8; 4]>::try_from(key).ok().map(Key::new);
        Ok(Some((Header { fin, rsv1, opcode, length, key }, size)))
    }

    /// A length that needs as many bytes as it has.
    fn minimal(length: u64, least: u64) -> Result<u64, Failure> {
        if length < least {
            return Err(Failure::protocol("length not in its shortest form"));
        }
        if length > i64::MAX as u64 {
            return Err(Failure::protocol("length of more than 63 bits"));
        }
        Ok(length)
    }

    /// Appends the header and `payload`, masked with `key` where there is one. `self.length` is that of the payload.
    pub(super) fn write(first: u8, payload: &[u8], key: Option<[u8; 4]>, out: &mut Vec<u8>) {
        let mask = if key.is_some() { 0x80 } else { 0 };
        let length = payload.len();
        out.reserve(MAX_HEADER + length);
        match u16::try_from(length) {
            Ok(short @ 0..126) => out.extend_from_slice(&[first, mask | short as u8]),
            Ok(short) => {
                let [a, b] = short.to_be_bytes();
                out.extend_from_slice(&[first, mask | 126, a, b]);
            }
            Err(_) => {
                out.extend_from_slice(&[first, mask | 127]);
                out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        match key {
            None => out.extend_from_slice(payload),
            Some(key) => {
                out.extend_from_slice(&key);
                let start = out.len();
                out.extend_from_slice(payload);
                Key::new(key).apply(&mut out[start..]);
            }
        }
    }
}
