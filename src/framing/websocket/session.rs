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
use super::Config;

/// How far the closing handshake has come (RFC 6455, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Open,
    /// Our Close frame is out and the peer's is awaited. Nothing more can be sent; what comes is still given.
    Closing,
    /// Both have sent theirs, or the connection has failed: nothing more is sent or given. A server closes TCP now.
    Closed,
}

/// Our own pings that wait for their pong; each carries its number.
#[derive(Debug, Clone, Copy)]
pub struct Pings {
    /// Those in between wait.
    oldest: u32,
    next: u32,
    most: u32,
}

impl Pings {
    /// The first number is 1.
    pub fn new(limits: &Limits) -> Self {
        Pings { oldest: 1, next: 1, most: limits.pings }
    }

    /// How many wait.
    pub fn pending(&self) -> u32 {
        self.next.wrapping_sub(self.oldest)
    }

    /// The number of another one, whose four bytes are its payload. Errors: [`EncodeError::TooManyPings`].
    pub fn begin(&mut self) -> Result<u32, EncodeError> {
        if self.pending() >= self.most {
            return Err(EncodeError::TooManyPings);
        }
        let number = self.next;
        self.next = number.wrapping_add(1);
        Ok(number)
    }

    /// The ping that `payload` answers. A peer need only answer the last of several (RFC 6455, 5.5.3).
    fn answered(&mut self, payload: &[u8]) -> Option<u32> {
        let number = u32::from_be_bytes(payload.try_into().ok()?);
        let waits = number.wrapping_sub(self.oldest) < self.pending();
        if waits {
            self.oldest = number.wrapping_add(1);
        }
        waits.then_some(number)
    }
}

/// Appends to `replies` what `event` of the decoder asks for, unless our own Close frame is out, and gives the event with
/// the number of the ping that it answers.
pub fn answer<'e>(event: Event<'e>, encoder: &mut Encoder, pings: &mut Pings, replies: &mut Vec<u8>) -> Event<'e> {
    match event {
        Event::Ping(payload) => _ = encoder.pong(payload, replies),
        Event::Close { code, .. } => _ = encoder.close(code, "", replies),
        Event::Pong { payload, .. } => return Event::Pong { payload, answers: pings.answered(payload) },
        Event::Data(_) => {}
    }
    event
}

/// An open WebSocket. Methods append what is to be sent to a buffer of the caller, in the order of the calls.
pub struct Session {
    decoder: Decoder,
    encoder: Encoder,
    pings: Pings,
    /// The peer's Close frame, or our failure.
    ended: Option<CloseStatus>,
}

impl Session {
    /// `agreed`: what [`Request::accept`](super::Request::accept) has agreed.
    pub fn new(config: &Config, agreed: Option<Agreed>) -> Self {
        Session {
            decoder: Decoder::new(config, agreed.map(|agreed| agreed.incoming(config.role))),
            encoder: Encoder::new(config, agreed.map(|agreed| agreed.outgoing(config.role))),
            pings: Pings::new(&config.limits),
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
        clock: &dyn Fn() -> Instant,
        replies: &mut Vec<u8>,
        out: &mut Out<'_>,
    ) -> Result<usize, Failure> {
        let Session { decoder, encoder, pings, ended } = self;
        let result = decoder.push(bytes, clock, &mut |event| {
            if let Event::Close { code, reason } = &event {
                *ended = Some(CloseStatus { code: code.unwrap_or(NO_STATUS), reason: (*reason).to_owned() });
            }
            out(answer(event, encoder, pings, replies))
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
        if self.encoder.is_closed() {
            return Err(EncodeError::Closed);
        }
        let number = self.pings.begin()?;
        self.encoder.ping(&number.to_be_bytes(), out)?;
        Ok(number)
    }

    /// Pings that wait for their pong.
    pub fn pending_pings(&self) -> u32 {
        self.pings.pending()
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
