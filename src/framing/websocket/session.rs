//! Both directions of a connection: pings and closes are answered without asking.

use std::sync::Arc;
use std::time::Instant;

use super::close::{CloseStatus, ABNORMAL, NO_STATUS};
use super::decoder::{Decoder, Event, Out};
use super::encoder::{EncodeError, Encoder};
use super::frame::{Failure, Kind};
use super::limits::Limits;
use super::negotiate::Agreed;
use super::shared::Shared;
use super::{Config, Role};

/// How far the closing handshake has come (RFC 6455, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Open,
    /// Our Close frame is out and the peer's is awaited. Nothing more can be sent; what comes is still given.
    Closing,
    /// Both have sent theirs, or the connection has failed: nothing more is sent or given. A server closes TCP now.
    Closed,
}

/// An open WebSocket. Methods append what is to be sent to a buffer of the caller, in the order of the calls.
pub struct Session {
    decoder: Decoder,
    encoder: Encoder,
    limits: Limits,
    /// The pings in between wait for their pong; each carries its number.
    oldest_ping: u32,
    next_ping: u32,
    /// The peer's Close frame, or our failure.
    ended: Option<CloseStatus>,
}

impl Session {
    /// `agreed`: what [`Request::accept`](super::Request::accept) has agreed.
    pub fn new(config: &Config, agreed: Option<Agreed>) -> Self {
        let (incoming, outgoing) = match config.role {
            Role::Server => (agreed.map(|a| a.client), agreed.map(|a| a.server)),
            Role::Client => (agreed.map(|a| a.server), agreed.map(|a| a.client)),
        };
        Session {
            decoder: Decoder::new(config, incoming),
            encoder: Encoder::new(config, outgoing),
            limits: config.limits,
            oldest_ping: 0,
            next_ping: 0,
            ended: None,
        }
    }

    /// Takes the next bytes: the contract is [`Decoder::push`]'s. Answers to pings and to a Close frame are appended to
    /// `replies` before the event; after a failure so is the Close frame that tells the peer.
    ///
    /// `replies` grows by no more than `bytes` has and one Close frame. A caller whose replies are not taken stops reading.
    pub fn receive(
        &mut self,
        bytes: &mut [u8],
        now: Instant,
        replies: &mut Vec<u8>,
        out: &mut Out<'_>,
    ) -> Result<usize, Failure> {
        let Session { decoder, encoder, oldest_ping, next_ping, ended, .. } = self;
        let result = decoder.push(bytes, now, &mut |event| {
            match event {
                // After our own Close frame neither is answered.
                Event::Ping(payload) => _ = encoder.pong(payload, replies),
                Event::Close { code, reason } => {
                    _ = encoder.close(code, "", replies);
                    *ended = Some(CloseStatus { code: code.unwrap_or(NO_STATUS), reason: reason.to_owned() });
                }
                Event::Pong { payload, .. } => {
                    let answers = answered(payload, *oldest_ping, *next_ping);
                    if let Some(number) = answers {
                        *oldest_ping = number.wrapping_add(1);
                    }
                    return out(Event::Pong { payload, answers });
                }
                Event::Data(_) => {}
            }
            out(event)
        });
        if let (Err(failure), None) = (&result, &self.ended) {
            _ = self.encoder.close(Some(failure.code), failure.reason, replies);
            self.ended = Some(CloseStatus { code: failure.code, reason: failure.reason.to_owned() });
        }
        result
    }

    /// See [`Decoder::is_held`].
    pub fn is_held(&self) -> bool {
        self.decoder.is_held()
    }

    /// See [`Decoder::buffered`].
    pub fn buffered(&self) -> usize {
        self.decoder.buffered()
    }

    /// See [`Decoder::set_whole`].
    pub fn set_whole(&mut self, whole: bool) {
        self.decoder.set_whole(whole);
    }

    /// See [`Encoder::set_max_frame`].
    pub fn set_max_frame(&mut self, bytes: usize) {
        self.encoder.set_max_frame(bytes);
    }

    /// See [`Encoder::message`].
    pub fn message(&mut self, kind: Kind, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.message(kind, payload, out)
    }

    /// See [`Encoder::part`].
    pub fn part(&mut self, kind: Kind, payload: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.part(kind, payload, last, out)
    }

    /// See [`Shared::bytes_for`].
    pub fn shared(&self, message: &mut Shared) -> Result<Arc<[u8]>, EncodeError> {
        message.bytes_for(&self.encoder)
    }

    /// A ping with a payload of its own, whose number the answer's event carries.
    pub fn ping(&mut self, out: &mut Vec<u8>) -> Result<u32, EncodeError> {
        if self.pending_pings() >= self.limits.pings {
            return Err(EncodeError::TooManyPings);
        }
        self.encoder.ping(&self.next_ping.to_be_bytes(), out)?;
        let number = self.next_ping;
        self.next_ping = number.wrapping_add(1);
        Ok(number)
    }

    /// Pings that wait for their pong.
    pub fn pending_pings(&self) -> u32 {
        self.next_ping.wrapping_sub(self.oldest_ping)
    }

    /// A ping with any payload, at most 125 bytes, which nobody waits for.
    pub fn ping_with(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.ping(payload, out)
    }

    /// See [`Encoder::pong`].
    pub fn pong(&mut self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.pong(payload, out)
    }

    /// Begins the closing handshake: see [`Encoder::close`].
    pub fn close(&mut self, code: Option<u16>, reason: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encoder.close(code, reason, out)
    }

    pub fn phase(&self) -> Phase {
        match (&self.ended, self.encoder.is_closed()) {
            (Some(_), _) => Phase::Closed,
            (None, true) => Phase::Closing,
            (None, false) => Phase::Open,
        }
    }

    /// How it ended, to be asked for when the connection has: [`ABNORMAL`] when no Close frame came.
    pub fn status(&self) -> CloseStatus {
        self.ended.clone().unwrap_or(CloseStatus { code: ABNORMAL, reason: String::new() })
    }
}

/// The ping that `payload` answers. A peer need only answer the last of several (RFC 6455, 5.5.3).
fn answered(payload: &[u8], oldest: u32, next: u32) -> Option<u32> {
    let number = u32::from_be_bytes(payload.try_into().ok()?);
    (number.wrapping_sub(oldest) < next.wrapping_sub(oldest)).then_some(number)
}
