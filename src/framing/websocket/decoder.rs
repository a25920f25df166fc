//! Bytes in, parts of messages and control frames out.

use std::mem;
use std::ops::ControlFlow;
use std::time::Instant;

use super::close;
use super::deflate::{Inflater, TAIL};
use super::frame::{Failure, Header, Kind, OpCode, Role, MAX_CONTROL, MAX_HEADER};
use super::limits::{Limits, Rate, INFLATE_CHUNK};
use super::mask::Key;
use super::negotiate::Direction;
use super::pool;
use super::utf8::{whole_characters, width};
use super::Config;

/// What a decoder finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    Data(Data<'a>),
    /// To be answered with a pong of the same payload, at most 125 bytes.
    Ping(&'a [u8]),
    Pong {
        payload: &'a [u8],
        /// Of the pings that `Session::ping` has sent: this one and all before it are answered. Always `None` from a
        /// decoder alone.
        answers: Option<u32>,
    },
    /// The last event: what follows a Close frame is dropped.
    Close {
        /// `None` when the frame has no payload.
        code: Option<u16>,
        /// At most 123 bytes.
        reason: &'a str,
    },
}

/// A part of a message, or a whole one.
#[derive(Debug, PartialEq, Eq)]
pub struct Data<'a> {
    pub kind: Kind,
    /// Of a message: its first part.
    pub first: bool,
    /// Its last part. Only this one, or a first part that is also the last, may be empty.
    pub last: bool,
    /// Unmasked and inflated. Of text, whole characters: one that is split over parts comes with the later part.
    pub bytes: &'a [u8],
}

/// Takes events. `Break` stops the decoder behind this event.
pub type Out<'o> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 'o;

/// One direction of a connection: what the peer sends.
///
/// Time and memory are linear in the bytes that come and in those that are given. What waits in here is the message under
/// way where messages are put together, and else three bytes of a character; see [`Decoder::buffered`].
pub struct Decoder {
    masked: bool,
    /// For the next message.
    whole: bool,
    limits: Limits,
    state: State,
    /// The beginning of a header.
    header: [u8; MAX_HEADER],
    header_length: usize,
    frame: Frame,
    message: Option<Message>,
    /// A control frame's payload that came in pieces.
    control: [u8; MAX_CONTROL],
    control_length: usize,
    /// Of the message under way: everything, where messages are put together; else what has been inflated and not given,
    /// or the beginning of a character.
    buffer: Vec<u8>,
    /// Bytes of `buffer` that are known to be UTF-8.
    checked: usize,
    inflater: Option<Inflater>,
    control_frames: Rate,
}

#[derive(Clone, Copy)]
enum State {
    Header,
    Payload,
    /// A compressed message's last frame is complete; so many bytes of the tail have been inflated.
    Tail(usize),
    Closed,
    Failed(Failure),
}

/// The frame under way.
#[derive(Clone, Copy)]
struct Frame {
    opcode: OpCode,
    fin: bool,
    key: Key,
    /// Payload bytes that have not come yet.
    remaining: u64,
    /// The inflater has more to give without further input.
    held: bool,
}

/// The message under way.
struct Message {
    kind: Kind,
    whole: bool,
    compressed: bool,
    /// Nothing of it has been given.
    first: bool,
    /// Bytes of it so far; inflated, where it is compressed.
    size: u64,
    frames: u32,
}

impl Decoder {
    /// `deflate`: how the peer compresses, if that was agreed.
    pub fn new(config: &Config, deflate: Option<Direction>) -> Self {
        Decoder {
            masked: config.role == Role::Server,
            whole: config.whole,
            limits: config.limits,
            state: State::Header,
            header: [0; MAX_HEADER],
            header_length: 0,
            frame: Frame { opcode: OpCode::Continuation, fin: true, key: Key::default(), remaining: 0, held: false },
            message: None,
            control: [0; MAX_CONTROL],
            control_length: 0,
            buffer: Vec::new(),
            checked: 0,
            inflater: deflate.map(Inflater::new),
            control_frames: Rate::default(),
        }
    }

    /// Whether messages are put together, from the next one on.
    pub fn set_whole(&mut self, whole: bool) {
        self.whole = whole;
    }

    /// Whether messages may be compressed.
    pub fn inflates(&self) -> bool {
        self.inflater.is_some()
    }

    /// Bytes that wait in here for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// After `out` has answered `Break`: whether more would come without further bytes.
    pub fn is_held(&self) -> bool {
        match self.state {
            State::Payload => self.frame.held || self.frame.remaining == 0,
            State::Tail(_) => true,
            _ => false,
        }
    }

    /// Takes the next bytes, which it unmasks in place, and gives events to `out`. `clock` is asked for control
    /// frames only, and never goes back.
    ///
    /// Returns how many bytes it has used. These are all, unless `out` has answered `Break`: then the rest is as it was,
    /// and comes first in the next call. That call may be made with nothing.
    ///
    /// After an error every call gives the same error; after the peer's Close frame bytes are used up without events.
    pub fn push(&mut self, bytes: &mut [u8], clock: &dyn Fn() -> Instant, out: &mut Out<'_>) -> Result<usize, Failure> {
        let mut used = 0;
        let result = self.run(bytes, &mut used, clock, out);
        if let Err(failure) = result {
            self.state = State::Failed(failure);
            self.inflater = None;
            self.buffer.clear();
        }
        if self.buffer.is_empty() && self.buffer.capacity() > 0 {
            pool::give_buffer(mem::take(&mut self.buffer));
        }
        result.map(|_| used)
    }

    fn run(
        &mut self,
        bytes: &mut [u8],
        used: &mut usize,
        clock: &dyn Fn() -> Instant,
        out: &mut Out<'_>,
    ) -> Result<ControlFlow<()>, Failure> {
        loop {
            let rest = &mut bytes[*used..];
            let flow = match self.state {
                State::Header => {
                    if rest.is_empty() {
                        return self.give_waiting(out);
                    }
                    *used += self.header(rest, clock)?;
                    continue;
                }
                State::Payload => {
                    let available = rest.len().min(usize::try_from(self.frame.remaining).unwrap_or(usize::MAX));
                    if available == 0 && self.frame.remaining > 0 && !self.frame.held {
                        return self.give_waiting(out);
                    }
                    let payload = &mut rest[..available];
                    if self.frame.opcode.is_control() {
                        self.control(payload, used, out)?
                    } else if self.message.as_ref().is_some_and(|message| message.compressed) {
                        self.compressed(payload, used, out)?
                    } else {
                        self.plain(payload, used, out)?
                    }
                }
                State::Tail(fed) => self.tail(fed, out)?,
                State::Closed => {
                    *used = bytes.len();
                    return Ok(ControlFlow::Continue(()));
                }
                State::Failed(failure) => return Err(failure),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
    }

    /// Reads a header, or the part of it that is there. Returns how many bytes it has used.
    fn header(&mut self, bytes: &[u8], clock: &dyn Fn() -> Instant) -> Result<usize, Failure> {
        if self.header_length == 0 {
            if let Some((header, size)) = Header::parse(bytes)? {
                self.begin(header, clock)?;
                return Ok(size);
            }
        }
        let known = self.header_length;
        let wanted = Header::size(&self.header[..known]) - known;
        let count = wanted.min(bytes.len());
        self.header[known..known + count].copy_from_slice(&bytes[..count]);
        self.header_length += count;
        if let Some((header, _)) = Header::parse(&self.header[..self.header_length])? {
            self.header_length = 0;
            self.begin(header, clock)?;
        }
        Ok(count)
    }

    /// What a header may say here and now.
    fn begin(&mut self, header: Header, clock: &dyn Fn() -> Instant) -> Result<(), Failure> {
        if header.key.is_some() != self.masked {
            return Err(Failure::protocol(if self.masked { "frame without a mask" } else { "masked frame" }));
        }
        // Compression is marked on a message's first frame only.
        if header.rsv1 && (self.inflater.is_none() || !matches!(header.opcode, OpCode::Text | OpCode::Binary)) {
            return Err(Failure::protocol("reserved bits are set"));
        }
        match header.opcode {
            OpCode::Continuation => match &mut self.message {
                Some(message) if message.frames == self.limits.fragments => {
                    return Err(Failure::policy("too many fragments"));
                }
                Some(message) => message.frames += 1,
                None => return Err(Failure::protocol("continuation of no message")),
            },
            OpCode::Text => self.begin_message(Kind::Text, header.rsv1)?,
            OpCode::Binary => self.begin_message(Kind::Binary, header.rsv1)?,
            OpCode::Ping | OpCode::Pong if !self.control_frames.count(clock(), self.limits.control_frames) => {
                return Err(Failure::policy("too many control frames"));
            }
            OpCode::Close | OpCode::Ping | OpCode::Pong => {}
        }
        if !header.opcode.is_control() {
            if header.length > self.limits.frame {
                return Err(Failure::too_big("frame too big"));
            }
            if let Some(message) = self.message.as_ref().filter(|message| !message.compressed) {
                check_size(message.size, header.length, &self.limits)?;
            }
        }
        self.frame = Frame {
            opcode: header.opcode,
            fin: header.fin,
            key: header.key.unwrap_or_default(),
            remaining: header.length,
            held: false,
        };
        self.state = State::Payload;
        Ok(())
    }

    fn begin_message(&mut self, kind: Kind, compressed: bool) -> Result<(), Failure> {
        if self.message.is_some() {
            return Err(Failure::protocol("a message within a message"));
        }
        self.message = Some(Message { kind, whole: self.whole, compressed, first: true, size: 0, frames: 1 });
        self.checked = 0;
        Ok(())
    }

    /// The next `count` bytes of the payload are used.
    fn advance(&mut self, count: usize, used: &mut usize) {
        *used += count;
        self.frame.remaining -= count as u64;
        self.frame.key = self.frame.key.advanced(count);
    }

    fn control(&mut self, payload: &mut [u8], used: &mut usize, out: &mut Out<'_>) -> Result<ControlFlow<()>, Failure> {
        self.frame.key.apply(payload);
        self.advance(payload.len(), used);
        let known = mem::take(&mut self.control_length);
        let payload = if known == 0 && self.frame.remaining == 0 {
            &*payload
        } else {
            let length = known + payload.len();
            self.control[known..length].copy_from_slice(payload);
            if self.frame.remaining > 0 {
                self.control_length = length;
                return Ok(ControlFlow::Continue(()));
            }
            &self.control[..length]
        };
        self.state = State::Header;
        Ok(out(match self.frame.opcode {
            OpCode::Ping => Event::Ping(payload),
            OpCode::Pong => Event::Pong { payload, answers: None },
            _ => {
                let close = close::parse(payload)?;
                self.state = State::Closed;
                Event::Close { code: close.map(|(code, _)| code), reason: close.map_or("", |(_, reason)| reason) }
            }
        }))
    }

    /// A part of a message that is not compressed.
    fn plain(&mut self, payload: &mut [u8], used: &mut usize, out: &mut Out<'_>) -> Result<ControlFlow<()>, Failure> {
        let Some(message) = &mut self.message else { return Err(Failure::protocol("payload of no message")) };
        let text = message.kind == Kind::Text;
        // In parts, the rest of a character comes first, as a part of its own.
        let wanted = match self.buffer.first() {
            Some(&lead) if !message.whole => width(lead) - self.buffer.len(),
            _ => payload.len(),
        };
        let count = wanted.min(payload.len());
        let payload = &mut payload[..count];
        self.frame.key.apply(payload);
        message.size += count as u64;
        self.advance(count, used);
        let frame_ends = self.frame.remaining == 0;
        let last = frame_ends && self.frame.fin;
        if frame_ends {
            self.state = State::Header;
        }
        let Some(message) = &self.message else { return Err(Failure::protocol("payload of no message")) };
        if self.buffer.is_empty() && (last || !message.whole) {
            // Where most bytes go: given as they lie.
            let good = if text { characters(payload, last)? } else { count };
            if good < count {
                self.buffer = pool::take_buffer();
                self.buffer.extend_from_slice(&payload[good..]);
            }
            return Ok(self.give(Some(&payload[..good]), last, out));
        }
        if self.buffer.capacity() == 0 {
            self.buffer = pool::take_buffer();
        }
        if self.buffer.capacity() - self.buffer.len() < count {
            // Doubled, but not beyond what a message may have. What a header promises costs nothing before it comes.
            let most = usize::try_from(self.limits.message).unwrap_or(usize::MAX).saturating_sub(self.buffer.len());
            self.buffer.reserve_exact(count.max(self.buffer.len().min(most)));
        }
        self.buffer.extend_from_slice(payload);
        self.check_text(last)?;
        let complete = !message_is_whole(&self.message) && self.checked == self.buffer.len();
        if last || complete {
            return Ok(self.give(None, last, out));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// A part of a compressed message.
    fn compressed(
        &mut self,
        payload: &mut [u8],
        used: &mut usize,
        out: &mut Out<'_>,
    ) -> Result<ControlFlow<()>, Failure> {
        let key = self.frame.key;
        key.apply(payload);
        let (count, flow) = self.inflate(payload, out)?;
        // What has not been used is left as it came.
        key.advanced(count).apply(&mut payload[count..]);
        self.advance(count, used);
        if flow.is_break() || self.frame.remaining > 0 {
            return Ok(flow);
        }
        if self.frame.fin {
            self.state = State::Tail(0);
            return Ok(flow);
        }
        self.state = State::Header;
        self.give_waiting(out)
    }

    /// The tail that a compressed message's sender has left out.
    fn tail(&mut self, fed: usize, out: &mut Out<'_>) -> Result<ControlFlow<()>, Failure> {
        if !self.inflater.as_ref().is_some_and(Inflater::has_ended) {
            let (count, flow) = self.inflate(&TAIL[fed..], out)?;
            self.state = State::Tail(fed + count);
            if flow.is_break() {
                return Ok(flow);
            }
        }
        if let Some(inflater) = &mut self.inflater {
            inflater.end_message();
        }
        self.state = State::Header;
        self.check_text(true)?;
        Ok(self.give(None, true, out))
    }

    /// Inflates `input` into the buffer, and gives parts as it fills where messages are not put together. Returns how much
    /// of the input was used: everything, unless `out` has answered `Break`.
    fn inflate(&mut self, input: &[u8], out: &mut Out<'_>) -> Result<(usize, ControlFlow<()>), Failure> {
        let mut used = 0;
        if self.buffer.capacity() == 0 {
            self.buffer = pool::take_buffer();
        }
        loop {
            let (Some(message), Some(inflater)) = (&mut self.message, &mut self.inflater) else {
                return Err(Failure::protocol("payload of no compressed message"));
            };
            let room = if message.whole {
                // Doubled. One more than may be, to see that there is more.
                let most = self.limits.message.saturating_sub(message.size).saturating_add(1);
                let input = (input.len() - used).saturating_mul(4);
                self.buffer.len().max(input).clamp(256, 1 << 20).min(usize::try_from(most).unwrap_or(usize::MAX))
            } else {
                // At most three bytes of a character are in front.
                INFLATE_CHUNK - self.buffer.len()
            };
            let before = self.buffer.len();
            let step = inflater.step(&input[used..], &mut self.buffer, room)?;
            used += step.used;
            self.frame.held = step.full;
            check_size(message.size, (self.buffer.len() - before) as u64, &self.limits)?;
            message.size += (self.buffer.len() - before) as u64;
            let whole = message.whole;
            self.check_text(false)?;
            if !whole && self.buffer.len() == INFLATE_CHUNK && self.give_waiting(out)?.is_break() {
                return Ok((used, ControlFlow::Break(())));
            }
            // A final block may end within the tail, whose rest is then of no use.
            let over = matches!(self.state, State::Tail(_)) && self.inflater.as_ref().is_some_and(Inflater::has_ended);
            if over || used == input.len() && !step.full {
                return Ok((input.len(), ControlFlow::Continue(())));
            }
        }
    }

    /// What is in the buffer of a text, as far as it has not been checked.
    fn check_text(&mut self, last: bool) -> Result<(), Failure> {
        match &self.message {
            Some(message) if message.kind == Kind::Text => {
                self.checked += characters(&self.buffer[self.checked..], last)?;
            }
            _ => self.checked = self.buffer.len(),
        }
        Ok(())
    }

    /// In parts: what has been inflated, without waiting for more.
    fn give_waiting(&mut self, out: &mut Out<'_>) -> Result<ControlFlow<()>, Failure> {
        if message_is_whole(&self.message) || self.checked == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        Ok(self.give(None, false, out))
    }

    /// Gives `part`, or what has been checked of the buffer.
    fn give(&mut self, part: Option<&[u8]>, last: bool, out: &mut Out<'_>) -> ControlFlow<()> {
        let Some(message) = &mut self.message else { return ControlFlow::Continue(()) };
        let bytes = part.unwrap_or(&self.buffer[..self.checked]);
        let mut flow = ControlFlow::Continue(());
        if last || !bytes.is_empty() {
            flow = out(Event::Data(Data { kind: message.kind, first: message.first, last, bytes }));
            message.first = false;
        }
        if last {
            self.message = None;
        }
        if part.is_none() {
            self.buffer.drain(..self.checked);
            self.checked = 0;
        }
        flow
    }
}

fn message_is_whole(message: &Option<Message>) -> bool {
    message.as_ref().is_some_and(|message| message.whole)
}

fn check_size(size: u64, more: u64, limits: &Limits) -> Result<(), Failure> {
    if more > limits.message.saturating_sub(size) {
        return Err(Failure::too_big("message too big"));
    }
    Ok(())
}

/// How many bytes of `text` are whole characters: all, when it is the `last` part.
fn characters(text: &[u8], last: bool) -> Result<usize, Failure> {
    match whole_characters(text) {
        Ok(count) if count == text.len() || !last => Ok(count),
        _ => Err(Failure::payload("text is not UTF-8")),
    }
}
