//! The WebSocket protocol (RFC 6455) with permessage-deflate (RFC 7692), over bytes: no socket, no clock, no other room.
//!
//! | file | what it holds |
//! |---|---|
//! | `upgrade`, `response` | the opening handshake: request in, its facts or a refusal; acceptance and rejection out |
//! | `negotiate` | permessage-deflate's parameters |
//! | `frame`, `mask` | headers of frames; the XOR with a masking key |
//! | `decoder`, `utf8` | bytes in, parts of messages and control frames out |
//! | `encoder`, `shared` | messages in, frames out; a message encoded once for many connections |
//! | `deflate`, `pool` | zlib as this protocol needs it; what a thread keeps for reuse |
//! | `close` | close codes and payloads |
//! | `session` | a decoder and an encoder that answer pings and closes by themselves |
//! | `limits` | what a peer may ask for, in bytes and in counts |
//!
//! One connection: an [`Upgrade`] takes bytes until it gives a [`Request`] or a [`Refusal`]; [`Request::accept`] makes the
//! answer and tells what was agreed on compression; a [`Session`] takes all bytes from there on.

mod close;
mod decoder;
mod deflate;
mod encoder;
mod frame;
mod limits;
mod mask;
mod negotiate;
mod pool;
mod response;
mod session;
mod shared;
mod upgrade;
mod utf8;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
#[cfg(test)]
mod tests;

pub use close::{is_valid as is_valid_close_code, CloseStatus, ABNORMAL, NO_STATUS};
pub use decoder::{Data, Decoder, Event, Out};
pub use encoder::{EncodeError, Encoder};
pub use frame::{Failure, Kind, Role, MAX_CONTROL};
pub use limits::Limits;
pub use negotiate::{Agreed, DeflateOptions, Direction};
pub use response::{parse_headers, reject, Acceptance, ResponseError};
pub use session::{answer, Phase, Pings, Session};
pub use shared::Shared;
pub use upgrade::{Refusal, Request, Upgrade};

/// What the connections of one server have in common.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    pub role: Role,
    /// True: a message is put together and given as one. False: its parts are given as they arrive.
    pub whole: bool,
    pub limits: Limits,
    /// Largest payload of an outgoing frame, in bytes, at least 1; what is longer leaves as fragments.
    pub max_frame: usize,
    pub deflate: DeflateOptions,
}

impl Config {
    /// Parts as they arrive, default limits, outgoing frames of at most 16 KiB, which is one TLS record.
    pub fn new(role: Role) -> Self {
        Config {
            role,
            whole: false,
            limits: Limits::default(),
            max_frame: 16 * 1024,
            deflate: DeflateOptions::default(),
        }
    }
}
