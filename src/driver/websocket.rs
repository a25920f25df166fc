//! WebSockets from the owner's side: answers to the upgrade, messages, pings, the close.

mod speaker;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use super::connection::{control, Connection};
use super::lock;
use crate::error::{Error, Result};
use crate::framing::websocket::{
    is_valid_close_code, parse_headers, reject, Agreed, Config, EncodeError, Encoder, Kind, ResponseError, MAX_CONTROL,
};
use crate::policy::limits;

pub(super) use speaker::Speaker;
use speaker::{Stage, Waiting};

/// What the WebSockets of one server have in common.
#[derive(Debug, Clone)]
pub struct WebSocketOptions {
    pub config: Config,
    /// From the accept until the upgrade is answered; `None` for no limit.
    pub handshake_timeout: Option<Duration>,
}

/// A message, or a part of one.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    pub kind: Kind,
    pub bytes: &'a [u8],
    /// The message ends with it.
    pub last: bool,
    /// It may be compressed, where that was agreed.
    pub compress: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Whole,
    /// Nothing was taken; [`super::Event::Drain`] follows.
    Full,
    /// The WebSocket is not open, or no longer.
    Gone,
}

/// What the task of a WebSocket is to do differently.
#[derive(Default)]
pub(super) struct Changes {
    /// The upgrade was accepted.
    pub opened: Option<Opened>,
    pub whole: Option<bool>,
    /// Our Close frame is on its way: the peer's is waited for so long.
    pub closing: Option<Duration>,
}

pub(super) struct Opened {
    pub agreed: Option<Agreed>,
    pub extensions: String,
}

thread_local! {
    /// The frames of one message on its way to the wire.
    static FRAMES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn gone() -> Error {
    Error::new("ERR_SOCKET_CLOSED", "The WebSocket is not open")
}

fn unanswerable() -> Error {
    Error::new("ERR_C4TLS_UPGRADE_STATE", "No request waits for an answer")
}

fn bad_response(error: ResponseError) -> Error {
    Error::new("ERR_C4TLS_UPGRADE_RESPONSE", error.to_string())
}

fn bad_frame(error: EncodeError) -> Error {
    let code = match error {
        EncodeError::Closed => "ERR_SOCKET_CLOSED",
        EncodeError::TooManyPings => "ERR_C4TLS_TOO_MANY_PINGS",
        _ => "ERR_INVALID_ARG_VALUE",
    };
    Error::new(code, error.to_string())
}

/// Sends a message to many connections of one server, encoded once; gives how many took it. `limit` as for
/// [`Connection::send_message`].
pub fn broadcast<'c>(connections: impl Iterator<Item = &'c Arc<Connection>>, part: Part<'_>, limit: usize) -> usize {
    let part = Part { last: true, ..part };
    let mut message = None;
    let mut count = 0;
    for connection in connections.filter(|connection| !connection.is_closing()) {
        let taken = lock(&connection.outbox).broadcast(&mut message, part, limit);
        count += usize::from(taken == Ok(Taken::Whole));
        connection.wake();
    }
    count
}

impl Connection {
    /// Opens the WebSocket; [`super::Event::Opened`] follows. `protocol`: one that the client has offered. `headers`: lines
    /// ended by CRLF, which are added to the response. Errors: `ERR_C4TLS_UPGRADE_RESPONSE`, and the request still waits;
    /// `ERR_C4TLS_UPGRADE_STATE`. On a connection that ends already it does nothing.
    pub fn accept_upgrade(self: &Arc<Self>, protocol: Option<&str>, headers: &str) -> Result<()> {
        let headers = parse_headers(headers).map_err(bad_response)?;
        let mut outbox = lock(&self.outbox);
        // Under the lock: the task may be giving the request up.
        if self.is_closing() {
            return Ok(());
        }
        let speaker = outbox.speaker.as_mut().ok_or_else(unanswerable)?;
        let Stage::Asked(request) = &speaker.stage else { return Err(unanswerable()) };
        let config = &speaker.options.config;
        let accepted = request.accept(protocol, &config.deflate, &headers).map_err(bad_response)?;
        let encoder = Encoder::new(config, accepted.agreed.map(|agreed| agreed.outgoing(config.role)));
        speaker.open(encoder);
        outbox.bytes.push(&accepted.response);
        drop(outbox);
        let (agreed, extensions) = (accepted.agreed, accepted.extensions);
        self.change(|changes| changes.opened = Some(Opened { agreed, extensions }));
        Ok(())
    }

    /// Answers with an HTTP error, or any status from 200 to 599, and ends the connection. `reason`: its phrase. Errors as
    /// for [`accept_upgrade`](Self::accept_upgrade).
    pub fn reject_upgrade(
        self: &Arc<Self>,
        status: u16,
        reason: Option<&str>,
        headers: &str,
        body: &[u8],
    ) -> Result<()> {
        let headers = parse_headers(headers).map_err(bad_response)?;
        let response = reject(status, reason, &headers, body).map_err(bad_response)?;
        let mut outbox = lock(&self.outbox);
        if self.is_closing() {
            return Ok(());
        }
        match outbox.speaker.as_mut() {
            Some(speaker) if matches!(speaker.stage, Stage::Asked(_)) => speaker.stage = Stage::Closed,
            _ => return Err(unanswerable()),
        }
        outbox.bytes.push(&response);
        drop(outbox);
        self.finish(limits::CLOSE_STALL);
        Ok(())
    }

    /// Sends a message or a part of one, whole or not at all. Not more may wait in front of the engine than `limit` bytes,
    /// unless nothing waits. `light` as for [`write`](Self::write). Errors: a part that does not belong to the message
    /// under way.
    pub fn send_message(
        self: &Arc<Self>,
        part: Part<'_>,
        limit: usize,
        light: bool,
    ) -> std::result::Result<Taken, EncodeError> {
        if self.is_closing() {
            return Ok(Taken::Gone);
        }
        if light && part.bytes.len() <= limits::DIRECT_WRITE && self.say_through(part)? {
            return Ok(Taken::Whole);
        }
        let taken = lock(&self.outbox).say(part, limit)?;
        if taken != Taken::Gone {
            self.wake();
        }
        Ok(taken)
    }

    /// Sends it on the spot, if nothing is in the way.
    fn say_through(self: &Arc<Self>, part: Part<'_>) -> std::result::Result<bool, EncodeError> {
        let Ok(mut core) = self.core.try_lock() else { return Ok(false) };
        if !core.may_write_through() {
            return Ok(false);
        }
        FRAMES.with_borrow_mut(|frames| {
            frames.clear();
            // The task sleeps while we have the core: nothing comes between the frames and those before.
            if !lock(&self.outbox).say_now(part, frames)? {
                return Ok(false);
            }
            if self.put_next(&mut core, frames, false).is_none() {
                self.queue(frames, false);
            }
            Ok(true)
        })
    }

    /// Pings the peer; [`super::Frame::Pong`] names the number given. Errors: `ERR_C4TLS_TOO_MANY_PINGS` wait for their
    /// pong; `ERR_SOCKET_CLOSED`.
    pub fn ping(self: &Arc<Self>) -> Result<u32> {
        let mut outbox = lock(&self.outbox);
        let speaker = outbox.speaker.as_mut().filter(|speaker| speaker.is_open()).ok_or_else(gone)?;
        let number = speaker.pings.begin().map_err(bad_frame)?;
        outbox.control(Waiting::Ping(number.to_be_bytes().to_vec())).map_err(bad_frame)?;
        drop(outbox);
        self.wake();
        Ok(number)
    }

    /// Pings the peer with a payload of at most 125 bytes; nobody waits for the pong. Errors:
    /// `ERR_C4TLS_TOO_MANY_PINGS`, [`limits::ANSWER_BACKLOG`] bytes of pings and pongs wait for the peer; `ERR_SOCKET_CLOSED`.
    pub fn ping_with(self: &Arc<Self>, payload: &[u8]) -> Result<()> {
        self.control_frame(payload, Waiting::Ping)
    }

    /// A pong that nobody has asked for. Errors as for [`ping_with`](Self::ping_with).
    pub fn pong(self: &Arc<Self>, payload: &[u8]) -> Result<()> {
        self.control_frame(payload, Waiting::Pong)
    }

    fn control_frame(self: &Arc<Self>, payload: &[u8], make: fn(Vec<u8>) -> Waiting) -> Result<()> {
        if payload.len() > MAX_CONTROL {
            return Err(bad_frame(EncodeError::ControlTooLong));
        }
        let mut outbox = lock(&self.outbox);
        if outbox.owes_answers() {
            return Err(Error::new("ERR_C4TLS_TOO_MANY_PINGS", "The peer takes no more pings and pongs"));
        }
        outbox.control(make(payload.to_vec())).map_err(bad_frame)?;
        drop(outbox);
        self.wake();
        Ok(())
    }

    /// Begins the closing handshake behind all that was sent, and ends the connection when the peer has answered, or has
    /// not for `timeout` (zero: at once). Without `code` the frame has no payload. A WebSocket that is not open yet ends
    /// without it. Errors: an invalid code.
    pub fn close_websocket(self: &Arc<Self>, code: Option<u16>, reason: &str, timeout: Duration) -> Result<()> {
        if let Some(code) = code.filter(|code| !is_valid_close_code(*code)) {
            return Err(bad_frame(EncodeError::InvalidCloseCode(code)));
        }
        if self.is_closing() {
            return Ok(());
        }
        if self.answer_close() {
            return Ok(());
        }
        let closes = lock(&self.outbox).control(Waiting::Close { code, reason: reason.to_owned() });
        match closes {
            Ok(()) if !timeout.is_zero() => self.change(|changes| changes.closing = Some(timeout)),
            // Not open, or closing already without having to wait any longer.
            _ => self.finish(limits::CLOSE_STALL),
        }
        Ok(())
    }

    /// The owner knows that the WebSocket is closing ([`super::Event::CloseFrame`]), and has sent what it had to send: the
    /// Close frame that answers follows, and the end. False: none is due.
    pub fn answer_close(self: &Arc<Self>) -> bool {
        let mut outbox = lock(&self.outbox);
        let Some((code, reason)) = outbox.speaker.as_mut().and_then(|speaker| speaker.farewell.take()) else {
            return false;
        };
        // Open, or it would not be due.
        let _ = outbox.control(Waiting::Close { code, reason: reason.to_owned() });
        drop(outbox);
        self.finish(limits::CLOSE_STALL);
        true
    }

    /// Messages are put together, from the next one on.
    pub fn set_whole(self: &Arc<Self>, whole: bool) {
        self.change(|changes| changes.whole = Some(whole));
    }

    /// Largest payload of an outgoing frame in bytes, at least 1, from the next message on.
    pub fn set_max_frame(self: &Arc<Self>, bytes: usize) {
        if let Some(speaker) = &mut lock(&self.outbox).speaker {
            speaker.set_max_frame(bytes);
        }
    }

    fn change(self: &Arc<Self>, change: impl FnOnce(&mut Changes)) {
        change(lock(&self.orders).websocket.get_or_insert_default());
        self.command(control::REFRAME);
    }
}
