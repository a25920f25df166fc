//! Behaviour from outside: bytes in, events and bytes out.

mod close;
mod compression;
mod differential;
mod fragments;
mod frames;
mod hostile;
mod sending;
mod text;
mod upgrade;

use std::ops::ControlFlow;
use std::time::Instant;

use super::*;

/// What a session gave, as one's own. Parts of a message follow each other with `last` false.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Heard {
    Part(Kind, Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>, Option<u32>),
    Close(Option<u16>, String),
}

impl From<Event<'_>> for Heard {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Data(data) => Heard::Part(data.kind, data.bytes.to_vec(), data.last),
            Event::Ping(payload) => Heard::Ping(payload.to_vec()),
            Event::Pong { payload, answers } => Heard::Pong(payload.to_vec(), answers),
            Event::Close { code, reason } => Heard::Close(code, reason.to_owned()),
        }
    }
}

/// A session with all that it gave and wants sent.
pub(super) struct Side {
    pub session: Session,
    pub heard: Vec<Heard>,
    pub replies: Vec<u8>,
    pub now: Instant,
}

impl Side {
    pub fn new(config: &Config, agreed: Option<Agreed>) -> Self {
        let session = Session::new(config, agreed);
        Side { session, heard: Vec::new(), replies: Vec::new(), now: Instant::now() }
    }

    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Side { session, heard, replies, now } = self;
        let used = session.receive(&mut bytes.to_vec(), &|| *now, replies, &mut |event| {
            heard.push(event.into());
            ControlFlow::Continue(())
        })?;
        assert_eq!(used, bytes.len());
        Ok(())
    }

    /// The messages that have ended, parts put together.
    pub fn messages(&self) -> Vec<(Kind, Vec<u8>)> {
        messages(&self.heard)
    }
}

pub(super) fn messages(heard: &[Heard]) -> Vec<(Kind, Vec<u8>)> {
    let mut whole = Vec::new();
    let mut open: Option<(Kind, Vec<u8>)> = None;
    for one in heard {
        let Heard::Part(kind, bytes, last) = one else { continue };
        open.get_or_insert_with(|| (*kind, Vec::new())).1.extend_from_slice(bytes);
        if *last {
            whole.extend(open.take());
        }
    }
    whole
}

pub(super) fn server(whole: bool) -> Config {
    Config { whole, ..Config::new(Role::Server) }
}

pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A client's frame: `first` holds FIN, the reserved bits and the opcode.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    super::frame::Header::write(first, payload, Some([0x37, 0xfa, 0x21, 0x3d]), &mut out);
    out
}

pub(super) fn text(bytes: &[u8]) -> (Kind, Vec<u8>) {
    (Kind::Text, bytes.to_vec())
}

pub(super) fn binary(bytes: &[u8]) -> (Kind, Vec<u8>) {
    (Kind::Binary, bytes.to_vec())
}

/// Both ways of giving messages, and the stream whole, a byte at a time, and cut in two at each place: they must agree.
/// Returns what the last of them gave.
pub(super) fn everywhere(agreed: Option<Agreed>, stream: &[u8]) -> (Vec<Heard>, Vec<u8>, Option<Failure>) {
    let run = |whole: bool, pieces: &[&[u8]]| {
        let mut side = Side::new(&server(whole), agreed);
        let failure = pieces.iter().find_map(|piece| side.receive(piece).err());
        (side.heard, side.replies, failure)
    };
    let control = |heard: &[Heard]| -> Vec<Heard> {
        heard.iter().filter(|one| !matches!(one, Heard::Part(..))).cloned().collect()
    };
    let expected = run(true, &[stream]);
    let single: Vec<_> = stream.chunks(1).collect();
    for whole in [true, false] {
        let step = stream.len() / 200 + 1;
        let cuts = (0..=stream.len()).step_by(step).map(|at| <[&[u8]; 2]>::from(stream.split_at(at)).to_vec());
        for pieces in cuts.chain([single.clone()]) {
            let (heard, replies, failure) = run(whole, &pieces);
            assert_eq!((&replies, failure), (&expected.1, expected.2));
            if whole {
                assert_eq!(heard, expected.0);
            } else {
                assert_eq!(control(&heard), control(&expected.0));
                if failure.is_none() {
                    assert_eq!(messages(&heard), messages(&expected.0));
                }
            }
        }
    }
    expected
}

/// The code with which `stream` ends the connection, however it is split.
pub(super) fn code(stream: &[u8]) -> u16 {
    let (_, replies, failure) = everywhere(None, stream);
    let code = failure.expect("a failure").code;
    // The peer is told the same, unless it was told before.
    assert!(replies.windows(2).any(|pair| pair == code.to_be_bytes()));
    code
}
