//! WebSockets from the owner's side: answers to the upgrade, messages, pings, the close.
//!
//! What sends stands under the lock of the outbox. Frames that need no compression are made on the caller's thread, into
//! the outbox or straight to the wire; compression is the task's work, and what is sent behind it waits in order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::connection::{control, Connection};
use super::lock;
use super::outbox::{Clear, Outbox};
use crate::error::{Error, Result};
use crate::framing::websocket::{
    answer, is_valid_close_code, parse_headers, reject, Agreed, Config, EncodeError, Encoder, Event, Kind, Pings,
    Request, ResponseError, Shared, MAX_CONTROL,
};
use crate::framing::Framing;
use crate::policy::limits;

/// What the WebSockets of one server have in common.
#[derive(Debug, Clone)]
pub struct WebSocketOptions {
    pub config: Config,
    /// What messages carry is cut into lines, wherever they begin and end.
    pub lines: Option<Framing>,
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
    pub lines: Option<Option<Framing>>,
    pub whole: Option<bool>,
    /// Our Close frame is on its way: the peer's is waited for so long.
    pub closing: Option<Duration>,
}

pub(super) struct Opened {
    pub agreed: Option<Agreed>,
    pub extensions: String,
}

/// What waits behind a message that is to be compressed.
enum Waiting {
    Message { kind: Kind, bytes: Vec<u8>, last: bool, compress: bool },
    Frames(Arc<[u8]>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close { code: Option<u16>, reason: String },
}

impl Waiting {
    fn size(&self) -> usize {
        match self {
            Waiting::Message { bytes, .. } | Waiting::Ping(bytes) | Waiting::Pong(bytes) => bytes.len(),
            Waiting::Frames(bytes) => bytes.len(),
            Waiting::Close { reason, .. } => reason.len(),
        }
    }

    /// Behind a Close frame nothing is sent; then it comes to nothing.
    fn encode(&self, encoder: &mut Encoder, frames: &mut Vec<u8>) {
        let _ = match self {
            Waiting::Message { kind, bytes, last, compress } => {
                Part { kind: *kind, bytes, last: *last, compress: *compress }.encode(encoder, frames)
            }
            Waiting::Frames(bytes) => {
                if !encoder.is_closed() {
                    frames.extend_from_slice(bytes);
                }
                Ok(())
            }
            Waiting::Ping(payload) => encoder.ping(payload, frames),
            Waiting::Pong(payload) => encoder.pong(payload, frames),
            Waiting::Close { code, reason } => encoder.close(*code, reason, frames),
        };
    }
}

impl Part<'_> {
    fn encode(&self, encoder: &mut Encoder, frames: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.compress {
            true => encoder.part(self.kind, self.bytes, self.last, frames),
            false => encoder.part_as_is(self.kind, self.bytes, self.last, frames),
        }
    }

    fn needs_deflater(&self, encoder: &Encoder) -> bool {
        encoder.compresses(self.bytes.len(), self.last, self.compress)
    }
}

enum Stage {
    /// No request yet, or none any more.
    Closed,
    Asked(Box<Request>),
    Open(Encoder),
    /// The task has the encoder while it compresses; `within`: a part of a message that is not its last.
    Compressing {
        within: bool,
    },
}

/// The sending half of a WebSocket.
pub(super) struct Speaker {
    options: Arc<WebSocketOptions>,
    stage: Stage,
    max_frame: usize,
    pings: Pings,
    waiting: VecDeque<Waiting>,
    /// Bytes in there.
    size: usize,
    /// How many of them are in front of the file that is being sent.
    before_file: usize,
    /// Bytes of the answers that the peer has caused, since it had taken all of them last.
    replies: usize,
    /// Where the last one ends, counted as the outbox does.
    replies_end: u64,
    /// A Close frame was sent, or waits.
    closing: bool,
    /// The Close frame that is due once the owner knows.
    farewell: Option<(Option<u16>, &'static str)>,
}

impl Speaker {
    pub fn new(options: Arc<WebSocketOptions>) -> Self {
        Speaker {
            stage: Stage::Closed,
            max_frame: options.config.max_frame,
            pings: Pings::new(&options.config.limits),
            waiting: VecDeque::new(),
            size: 0,
            before_file: 0,
            replies: 0,
            replies_end: 0,
            closing: false,
            farewell: None,
            options,
        }
    }

    /// Nothing waits for the task.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !matches!(self.stage, Stage::Compressing { .. })
    }

    /// Bytes that wait for the task.
    pub fn waiting(&self) -> usize {
        self.size
    }

    pub fn ask(&mut self, request: Request) {
        self.stage = Stage::Asked(Box::new(request));
    }

    /// The next for the task to encode.
    fn next(&mut self) -> Option<Encoding> {
        if !matches!(self.stage, Stage::Open(_)) {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.before_file = self.before_file.saturating_sub(1);
        let within = matches!(next, Waiting::Message { last: false, .. });
        let Stage::Open(encoder) = std::mem::replace(&mut self.stage, Stage::Compressing { within }) else {
            return None;
        };
        self.size -= next.size();
        Some(Encoding { encoder, next })
    }

    /// A file is sent behind what waits. False: the WebSocket is not open, or a message is under way.
    pub fn send_file(&mut self) -> bool {
        let fits = self.is_open() && !self.is_within_message();
        if fits {
            self.before_file = self.waiting.len();
        }
        fits
    }

    /// Whether what was sent last is a part of a message, and not its last.
    fn is_within_message(&self) -> bool {
        let unfinished = |waiting: &Waiting| match waiting {
            Waiting::Message { last, .. } => Some(!last),
            _ => None,
        };
        self.waiting.iter().rev().find_map(unfinished).unwrap_or(match &self.stage {
            Stage::Open(encoder) => encoder.is_within_message(),
            Stage::Compressing { within } => *within,
            _ => false,
        })
    }

    /// All that was sent before the file has its frames.
    pub fn reaches_file(&self) -> bool {
        self.before_file == 0 && matches!(self.stage, Stage::Open(_))
    }

    /// Makes frames of a file's bytes. Not compressed: most that is large is so already.
    pub fn say_of_file(&mut self, bytes: &[u8], last: bool, out: &mut Clear) {
        if let Stage::Open(encoder) = &mut self.stage {
            let expected = bytes.len() + bytes.len() / 1024 + 16;
            // Behind a Close frame it comes to nothing.
            let _ = out.push_with(expected, |out| encoder.part_as_is(Kind::Binary, bytes, last, out));
        }
    }

    fn open(&mut self, mut encoder: Encoder) {
        encoder.set_max_frame(self.max_frame);
        self.stage = Stage::Open(encoder);
    }

    fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes;
        if let Stage::Open(encoder) = &mut self.stage {
            encoder.set_max_frame(bytes);
        }
    }

    fn wait(&mut self, next: Waiting) {
        self.size += next.size();
        self.waiting.push_back(next);
    }

    fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_) | Stage::Compressing { .. }) && !self.closing
    }
}

/// A message on its way through the deflater.
pub(super) struct Encoding {
    encoder: Encoder,
    next: Waiting,
}

impl Encoding {
    pub fn run(&mut self) -> Vec<u8> {
        let mut frames = Vec::new();
        self.next.encode(&mut self.encoder, &mut frames);
        frames
    }

    pub fn put_back(self, outbox: &mut Outbox, frames: &[u8]) {
        outbox.bytes.push(frames);
        if let Some(speaker) = &mut outbox.speaker {
            speaker.open(self.encoder);
        }
    }
}

impl Outbox {
    /// The next message for the task to make frames of: not one behind a file.
    pub fn next_encoding(&mut self) -> Option<Encoding> {
        let file = self.has_file();
        let speaker = self.speaker.as_mut()?;
        if file && speaker.before_file == 0 {
            return None;
        }
        speaker.next()
    }

    /// Sends what `event` of the decoder asks for, a Ping or a Pong, and gives what to tell of it.
    pub fn answer<'e>(&mut self, event: Event<'e>) -> Event<'e> {
        let before = self.bytes.progress().0;
        let event = match self.speaker.as_deref_mut() {
            Some(Speaker { stage: Stage::Open(encoder), pings, .. }) => {
                self.bytes.push_with(0, |bytes| answer(event, encoder, pings, bytes))
            }
            _ => event,
        };
        self.count_reply(before);
        event
    }

    /// The peer has closed, or the connection fails: how that is to be answered. False: it is not, behind a Close frame
    /// of our own.
    pub fn answer_with(&mut self, code: Option<u16>, reason: &'static str) -> bool {
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else { return false };
        speaker.farewell = Some((code, reason));
        true
    }

    fn count_reply(&mut self, before: u64) {
        let (pushed, taken) = self.bytes.progress();
        if let Some(speaker) = self.speaker.as_mut().filter(|_| pushed > before) {
            if taken >= speaker.replies_end {
                speaker.replies = 0;
            }
            speaker.replies += (pushed - before) as usize;
            speaker.replies_end = pushed;
        }
    }

    /// Whether the peer leaves too many of its answers where they are.
    pub fn owes_answers(&self) -> bool {
        self.speaker.as_ref().is_some_and(|speaker| {
            speaker.replies >= limits::ANSWER_BACKLOG && self.bytes.progress().1 < speaker.replies_end
        })
    }

    /// Takes a part of a message, in order.
    fn say(&mut self, part: Part<'_>, limit: usize) -> Result<Taken, EncodeError> {
        let (waits, file) = (self.len(), self.has_file());
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else { return Ok(Taken::Gone) };
        if waits > 0 && part.bytes.len() > limit.saturating_sub(waits) {
            self.waiting = true;
            return Ok(Taken::Full);
        }
        match &mut speaker.stage {
            Stage::Open(encoder) if !file && speaker.waiting.is_empty() && !part.needs_deflater(encoder) => {
                let expected = part.bytes.len() + part.bytes.len() / 1024 + 16;
                self.bytes.push_with(expected, |bytes| part.encode(encoder, bytes))?;
            }
            _ => speaker.wait(Waiting::Message {
                kind: part.kind,
                bytes: part.bytes.to_vec(),
                last: part.last,
                compress: part.compress,
            }),
        }
        Ok(Taken::Whole)
    }

    /// Makes the frames of a part of a message that may leave at once, into `frames`. False: it must wait.
    fn say_now(&mut self, part: Part<'_>, frames: &mut Vec<u8>) -> Result<bool, EncodeError> {
        let empty = self.is_empty();
        match self.speaker.as_deref_mut() {
            Some(Speaker { stage: Stage::Open(encoder), closing: false, .. }) if empty => {
                if part.needs_deflater(encoder) {
                    return Ok(false);
                }
                part.encode(encoder, frames)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Takes a control frame: in front of what waits for the task, unless that is a Close frame or the task has the encoder.
    fn control(&mut self, frame: Waiting) -> Result<(), EncodeError> {
        let file = self.has_file();
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else {
            return Err(EncodeError::Closed);
        };
        let closes = matches!(frame, Waiting::Close { .. });
        speaker.closing = closes;
        match &mut speaker.stage {
            Stage::Open(encoder) if !closes || (!file && speaker.waiting.is_empty()) => {
                self.bytes.push_with(0, |bytes| frame.encode(encoder, bytes));
            }
            _ => speaker.wait(frame),
        }
        Ok(())
    }

    fn broadcast(&mut self, message: &mut Option<Shared>, part: Part<'_>, limit: usize) -> Result<Taken, EncodeError> {
        let (waits, file) = (self.len(), self.has_file());
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else { return Ok(Taken::Gone) };
        let encoder = match &speaker.stage {
            Stage::Open(encoder) if !file => encoder,
            _ => return self.say(part, limit),
        };
        let message = message.get_or_insert_with(|| Shared::new(&speaker.options.config, part.kind, part.bytes));
        let frames = message.bytes_for(encoder)?;
        if waits > 0 && frames.len() > limit.saturating_sub(waits) {
            self.waiting = true;
            return Ok(Taken::Full);
        }
        if speaker.waiting.is_empty() {
            self.bytes.push(&frames);
        } else {
            speaker.wait(Waiting::Frames(frames));
        }
        Ok(Taken::Whole)
    }
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
        if self.is_closing() {
            return Ok(());
        }
        let mut outbox = lock(&self.outbox);
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
        if self.is_closing() {
            return Ok(());
        }
        let mut outbox = lock(&self.outbox);
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
            if self.put_through(&mut core, frames, false).is_none() {
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

    /// Pings the peer with a payload of at most 125 bytes; nobody waits for the pong.
    pub fn ping_with(self: &Arc<Self>, payload: &[u8]) -> Result<()> {
        self.control_frame(payload, Waiting::Ping)
    }

    /// A pong that nobody has asked for.
    pub fn pong(self: &Arc<Self>, payload: &[u8]) -> Result<()> {
        self.control_frame(payload, Waiting::Pong)
    }

    fn control_frame(self: &Arc<Self>, payload: &[u8], make: fn(Vec<u8>) -> Waiting) -> Result<()> {
        if payload.len() > MAX_CONTROL {
            return Err(bad_frame(EncodeError::ControlTooLong));
        }
        lock(&self.outbox).control(make(payload.to_vec())).map_err(bad_frame)?;
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

    /// Lines instead of messages from the next byte on; `None`: messages again.
    pub fn set_lines(self: &Arc<Self>, lines: Option<Framing>) {
        self.change(|changes| changes.lines = Some(lines));
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
