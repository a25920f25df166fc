//! The sending half of a WebSocket, which stands under the lock of the outbox.
//!
//! Frames that need no compression are made on the caller's thread, into the outbox or straight to the wire; compression is
//! the task's work, and what is sent behind it, or behind a file, waits in order.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Part, Taken, WebSocketOptions};
use crate::driver::outbox::{Clear, Outbox};
use crate::framing::websocket::{answer, EncodeError, Encoder, Event, Kind, Pings, Request, Shared};
use crate::policy::limits;

/// What waits behind a message that is to be compressed.
pub(super) enum Waiting {
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

    /// Bytes of its frame, if it is a ping or a pong.
    fn reply_size(&self) -> usize {
        match self {
            Waiting::Ping(payload) | Waiting::Pong(payload) => 2 + payload.len(),
            _ => 0,
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

pub(super) enum Stage {
    /// No request yet, or none any more.
    Closed,
    Asked(Box<Request>),
    Open(Encoder),
    /// The task has the encoder while it compresses; `within`: a message will be open behind it.
    Compressing {
        within: bool,
    },
}

/// The sending half of a WebSocket.
pub(in crate::driver) struct Speaker {
    pub(super) options: Arc<WebSocketOptions>,
    pub(super) stage: Stage,
    max_frame: usize,
    pub(super) pings: Pings,
    waiting: VecDeque<Waiting>,
    /// Bytes in there, and of what the task compresses.
    size: usize,
    /// How many of them are in front of the file that is being sent.
    before_file: usize,
    /// Bytes of pings and pongs, most of them answers that the peer has caused, since it had taken all of them last.
    replies: usize,
    /// Bytes of those that wait for the task, or are with it.
    replies_waiting: usize,
    /// Where the last of `replies` ends, counted as the outbox does.
    replies_end: u64,
    /// A Close frame was sent, or waits.
    closing: bool,
    /// The Close frame that is due once the owner knows.
    pub(super) farewell: Option<(Option<u16>, &'static str)>,
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
            replies_waiting: 0,
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

    /// Bytes that wait for the task, or are with it.
    pub fn waiting(&self) -> usize {
        self.size
    }

    pub fn ask(&mut self, request: Request) {
        self.stage = Stage::Asked(Box::new(request));
    }

    /// The request waits for an answer.
    pub fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked(_))
    }

    /// The next for the task to encode.
    fn next(&mut self) -> Option<Encoding> {
        let Stage::Open(encoder) = &self.stage else { return None };
        let next = self.waiting.pop_front()?;
        self.before_file = self.before_file.saturating_sub(1);
        let within = match next {
            Waiting::Message { last, .. } => !last,
            _ => encoder.is_within_message(),
        };
        let Stage::Open(encoder) = std::mem::replace(&mut self.stage, Stage::Compressing { within }) else {
            return None;
        };
        Some(Encoding { encoder, next })
    }

    /// A file is sent behind what waits. False: the WebSocket is not open, or a message is under way.
    pub fn send_file(&mut self) -> bool {
        let fits = self.is_open() && !self.is_within_message(false);
        if fits {
            self.before_file = self.waiting.len();
        }
        fits
    }

    /// Whether what was sent last is a part of a message, and not its last. A `file` on its way is a whole message.
    fn is_within_message(&self, file: bool) -> bool {
        let unfinished = |waiting: &Waiting| match waiting {
            Waiting::Message { last, .. } => Some(!last),
            _ => None,
        };
        self.waiting.iter().rev().find_map(unfinished).unwrap_or(match &self.stage {
            _ if file => false,
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

    pub(super) fn open(&mut self, mut encoder: Encoder) {
        encoder.set_max_frame(self.max_frame);
        self.stage = Stage::Open(encoder);
    }

    pub(super) fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes;
        if let Stage::Open(encoder) = &mut self.stage {
            encoder.set_max_frame(bytes);
        }
    }

    fn wait(&mut self, next: Waiting) {
        self.size += next.size();
        self.replies_waiting += next.reply_size();
        self.waiting.push_back(next);
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_) | Stage::Compressing { .. }) && !self.closing
    }
}

/// A message on its way through the deflater.
pub(in crate::driver) struct Encoding {
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
        let before = outbox.bytes.progress().0;
        outbox.bytes.push(frames);
        let reply = self.next.reply_size();
        if let Some(speaker) = &mut outbox.speaker {
            speaker.size -= self.next.size();
            speaker.replies_waiting -= reply;
            speaker.open(self.encoder);
        }
        if reply > 0 {
            outbox.count_control(before);
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
        self.count_control(before);
        event
    }

    /// The peer has closed, or the connection fails: how that is to be answered. False: it is not, behind a Close frame
    /// of our own.
    pub fn answer_with(&mut self, code: Option<u16>, reason: &'static str) -> bool {
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else { return false };
        speaker.farewell = Some((code, reason));
        true
    }

    /// What was pushed since `before` is a ping or a pong.
    fn count_control(&mut self, before: u64) {
        let (pushed, taken) = self.bytes.progress();
        if let Some(speaker) = self.speaker.as_mut().filter(|_| pushed > before) {
            if taken >= speaker.replies_end {
                speaker.replies = 0;
            }
            speaker.replies += (pushed - before) as usize;
            speaker.replies_end = pushed;
        }
    }

    /// Whether the peer leaves too many pongs, and pings, where they are.
    pub fn owes_answers(&self) -> bool {
        self.speaker.as_ref().is_some_and(|speaker| {
            let sent = if self.bytes.progress().1 < speaker.replies_end { speaker.replies } else { 0 };
            sent + speaker.replies_waiting >= limits::ANSWER_BACKLOG
        })
    }

    /// Takes a part of a message, in order.
    pub(super) fn say(&mut self, part: Part<'_>, limit: usize) -> Result<Taken, EncodeError> {
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
    pub(super) fn say_now(&mut self, part: Part<'_>, frames: &mut Vec<u8>) -> Result<bool, EncodeError> {
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
    pub(super) fn control(&mut self, frame: Waiting) -> Result<(), EncodeError> {
        let file = self.has_file();
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else {
            return Err(EncodeError::Closed);
        };
        let closes = matches!(frame, Waiting::Close { .. });
        speaker.closing = closes;
        let before = self.bytes.progress().0;
        match &mut speaker.stage {
            Stage::Open(encoder) if !closes || (!file && speaker.waiting.is_empty()) => {
                self.bytes.push_with(0, |bytes| frame.encode(encoder, bytes));
            }
            _ => speaker.wait(frame),
        }
        if !closes {
            self.count_control(before);
        }
        Ok(())
    }

    /// Takes a whole message for many. Errors: a message is under way.
    pub(super) fn broadcast(
        &mut self,
        message: &mut Option<Shared>,
        part: Part<'_>,
        limit: usize,
    ) -> Result<Taken, EncodeError> {
        let (waits, file) = (self.len(), self.has_file());
        let Some(speaker) = self.speaker.as_mut().filter(|speaker| speaker.is_open()) else { return Ok(Taken::Gone) };
        // Also when parts of it still wait: this one would be taken for another.
        if speaker.is_within_message(file) {
            return Err(EncodeError::MessageOpen);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::websocket::{Config, Direction, Role};

    fn open_outbox() -> Outbox {
        let options = WebSocketOptions { config: Config::new(Role::Server), handshake_timeout: None };
        let deflate = Direction { takeover: false, window_bits: 15 };
        let encoder = Encoder::new(&options.config, Some(deflate));
        let mut speaker = Speaker::new(Arc::new(options));
        speaker.open(encoder);
        let mut outbox = Outbox::default();
        outbox.speaker = Some(Box::new(speaker));
        outbox
    }

    #[test]
    fn pings_and_pongs_behind_a_message_at_its_compression_are_bounded() {
        for payload in [0, 125] {
            let mut outbox = open_outbox();
            let part = Part { kind: Kind::Text, bytes: &[b'x'; 20_000], last: true, compress: true };
            assert_eq!(outbox.say(part, usize::MAX), Ok(Taken::Whole));
            let mut encoding = outbox.next_encoding().expect("a message for the task");
            let most = limits::ANSWER_BACKLOG.div_ceil(payload + 2);
            for number in 0..most {
                assert!(!outbox.owes_answers(), "{number}");
                let make = if number % 2 == 0 { Waiting::Ping } else { Waiting::Pong };
                outbox.control(make(vec![7; payload])).unwrap();
            }
            assert!(outbox.owes_answers());
            // So it stays when their frames are made.
            let frames = encoding.run();
            encoding.put_back(&mut outbox, &frames);
            while let Some(mut encoding) = outbox.next_encoding() {
                assert!(outbox.owes_answers());
                let frames = encoding.run();
                encoding.put_back(&mut outbox, &frames);
            }
            assert!(outbox.owes_answers());
            assert!(outbox.bytes.len() > most * (payload + 2));
            // Until the peer has taken them.
            outbox.bytes.take(outbox.bytes.len());
            assert!(!outbox.owes_answers());
        }
    }
}
