//! Entry points for fuzzing, which `fuzz/` runs under libFuzzer and a test runs with a simple mutator. Whatever `data` is,
//! they come to their end; a finding is a panic.

use std::ops::ControlFlow;
use std::time::Instant;

use super::*;

/// Takes bytes off the input; zeros behind its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn bytes(&mut self, wanted: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(wanted.min(self.0.len()));
        self.0 = rest;
        head
    }
}

/// All that a session gave.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// Kind, content, and whether the last part came. A ping is 9, a pong 10, a Close frame 8.
    messages: Vec<(u8, Vec<u8>, bool)>,
    replies: Vec<u8>,
    failure: Option<u16>,
}

const LIMITS: Limits = Limits {
    frame: 70_000,
    message: 100_000,
    fragments: 20,
    control_frames: 30,
    pings: 2,
    head_bytes: limits::HEAD_BYTES,
    headers: limits::HEADERS,
};
const BOTH: Direction = Direction { takeover: true, window_bits: 15 };

fn config(flags: u8) -> (Config, Option<Agreed>) {
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let config = Config { whole: flags & 2 != 0, limits: LIMITS, ..Config::new(role) };
    let deflate = Direction { takeover: flags & 8 != 0, ..BOTH };
    (config, (flags & 4 != 0).then_some(Agreed { server: deflate, client: deflate }))
}

/// Gives `stream` in pieces, pausing after every `pause`th event where that is not 0.
fn hear(flags: u8, stream: &[u8], piece: usize, pause: usize) -> Heard {
    let (config, agreed) = config(flags);
    let mut session = Session::new(&config, agreed);
    let now = Instant::now();
    let mut heard = Heard::default();
    let (mut replies, mut count) = (Vec::new(), 0);
    for part in stream.chunks(piece) {
        let mut part = part.to_vec();
        let mut rest = &mut part[..];
        loop {
            let mut paused = false;
            let result = session.receive(rest, &|| now, &mut replies, &mut |event| {
                assert!(!paused, "an event after a pause");
                note(&mut heard, event);
                count += 1;
                paused = pause > 0 && count % pause == 0;
                if paused {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            assert!(session.buffered() as u64 <= LIMITS.message + 4);
            match result {
                Ok(used) => {
                    assert!(used == rest.len() || paused, "bytes left over without a pause");
                    rest = &mut rest[used..];
                }
                Err(failure) => {
                    assert_eq!(session.receive(&mut [], &|| now, &mut replies, &mut |_| unreachable!()), Err(failure));
                    // Which of two faults in compressed data is seen first depends on the pieces.
                    let bomb = flags & 4 != 0 && failure.code == 1009;
                    heard.failure = Some(if bomb { 1007 } else { failure.code });
                    let close = 4 + failure.reason.len() + if flags & 1 == 1 { 4 } else { 0 };
                    heard.replies = replies[..replies.len() - close].to_vec();
                    return heard;
                }
            }
            if !paused {
                break;
            }
        }
        assert!(!session.is_held());
    }
    heard.replies = replies;
    heard
}

impl Heard {
    /// What does not depend on how the stream is split. A client's keys differ each time.
    fn settled(mut self, flags: u8) -> Self {
        if flags & 1 == 1 {
            self.replies = vec![0; self.replies.len()];
        }
        if flags & 2 == 0 && self.failure.is_some() {
            // Of a message that fails, more or less may have been given before.
            self.messages.retain(|(_, _, last)| *last);
        }
        self
    }
}

fn note(heard: &mut Heard, event: Event<'_>) {
    match event {
        Event::Data(data) => {
            assert!(data.last || !data.bytes.is_empty(), "an empty part");
            assert!(data.kind == Kind::Binary || std::str::from_utf8(data.bytes).is_ok(), "a part that is not UTF-8");
            // The message under way, with control frames behind its beginning.
            let open = heard.messages.iter_mut().rev().find(|(kind, _, _)| *kind < 8).filter(|(_, _, last)| !last);
            match open {
                Some((_, bytes, last)) => {
                    assert!(!data.first);
                    bytes.extend_from_slice(data.bytes);
                    *last = data.last;
                    assert!(bytes.len() as u64 <= LIMITS.message);
                }
                None => {
                    assert!(data.first);
                    heard.messages.push((data.kind as u8, data.bytes.to_vec(), data.last));
                }
            }
        }
        Event::Ping(payload) => heard.messages.push((9, payload.to_vec(), true)),
        Event::Pong { payload, answers } => {
            assert_eq!(answers, None);
            heard.messages.push((10, payload.to_vec(), true));
        }
        Event::Close { code, reason } => {
            assert!(code.is_some() || reason.is_empty());
            heard.messages.push((8, [&code.unwrap_or(0).to_be_bytes(), reason.as_bytes()].concat(), true));
        }
    }
}

/// A stream of frames, of any bytes or well-formed ones: it comes to the same however it is split and wherever its
/// receiver pauses.
pub fn frames(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let (piece, pause) = (usize::from(input.byte()) + 1, usize::from(input.byte() % 4));
    let stream = if flags & 16 == 0 { input.0.to_vec() } else { stream(&mut input, flags & 1 == 0) };
    let whole = hear(flags, &stream, usize::MAX, 0);
    let parts = hear(flags, &stream, piece, pause);
    assert_eq!(whole.settled(flags), parts.settled(flags));
}

/// Frames with any first byte and payload, in their shortest form.
fn stream(input: &mut Input<'_>, masked: bool) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.0.is_empty() {
        let first = input.byte();
        let length = input.byte();
        let payload = match length {
            // Some are long, and of one byte.
            250.. => &[input.byte()].repeat(usize::from(length - 249) * 12_000),
            _ => input.bytes(length.into()),
        };
        frame::Header::write(first, payload, masked.then_some([1, 2, 3, 4]), &mut stream);
    }
    stream
}

/// What one side compresses the other inflates to the same, whatever was agreed; and inflating any bytes ends in time.
pub fn deflate(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let mut config = config(flags).0;
    config.limits = Limits { fragments: u32::MAX, ..LIMITS };
    config.deflate.threshold = usize::from(input.byte());
    config.deflate.level = input.byte() % 9 + 1;
    config.max_frame = usize::from(input.byte()) + 1;
    let direction = Direction { takeover: flags & 8 != 0, window_bits: 9 + input.byte() % 7 };
    let mut encoder = Encoder::new(&config, Some(direction));
    let peer = if config.role == Role::Server { Role::Client } else { Role::Server };
    let mut decoder = Decoder::new(&Config { role: peer, ..config }, Some(direction));
    let (mut sent, mut heard) = (Vec::new(), Heard::default());
    while !input.0.is_empty() {
        let kind = input.byte();
        let mut content = input.bytes((kind >> 3).into()).to_vec();
        content = content.repeat(usize::from(input.byte()));
        let mut wire = Vec::new();
        if kind & 4 == 0 {
            encoder.message(Kind::Binary, &content, &mut wire).expect("an encoder at rest");
        } else {
            let (one, two) = content.split_at(content.len() / 3);
            encoder.part(Kind::Binary, one, false, &mut wire).expect("an encoder at rest");
            encoder.part(Kind::Binary, two, true, &mut wire).expect("the same message");
        }
        sent.push((Kind::Binary as u8, content, true));
        for part in wire.chunks_mut(if kind & 2 == 0 { usize::MAX } else { 7 }) {
            let result = decoder.push(part, &Instant::now, &mut |event| {
                note(&mut heard, event);
                ControlFlow::Continue(())
            });
            assert!(result.is_ok_and(|used| used == part.len()));
        }
        if kind & 1 != 0 {
            // What nobody has compressed, as a message that is said to be.
            let mut bytes = Vec::new();
            frame::Header::write(0xc2, input.0, None, &mut bytes);
            hear(5 | flags & 10, &bytes, usize::MAX, 0);
        }
    }
    assert_eq!(heard.messages, sent);
}

/// An opening handshake: the same however it is split, and an answer that says what it should and no more.
pub fn upgrade(data: &[u8]) {
    let mut input = Input(data);
    let piece = usize::from(input.byte()) + 1;
    let split = input.0.iter().position(|&byte| byte == 0).unwrap_or(input.0.len());
    // Behind a NUL: header fields for the answer.
    let (stream, extra) = input.0.split_at(split);
    let extra = String::from_utf8_lossy(extra.get(1..).unwrap_or_default());
    let whole = Upgrade::default().push(stream);
    let mut parts = Upgrade::default();
    let mut past = 0;
    let found = stream.chunks(piece).find_map(|part| match parts.push(part) {
        Ok(None) => {
            past += part.len();
            assert!(parts.buffered() <= limits::HEAD_BYTES);
            None
        }
        Ok(Some((request, used))) => Some(Ok(Some((request, past + used)))),
        Err(refusal) => Some(Err(refusal)),
    });
    assert_eq!(found.unwrap_or(Ok(None)), whole);
    let head = match whole {
        Ok(None) => return,
        Err(refusal) => refusal.response(),
        Ok(Some((request, used))) => {
            assert!(used <= stream.len());
            let headers = parse_headers(&extra).unwrap_or_default();
            let protocol = request.protocols.first().map(String::as_str);
            match request.accept(protocol, &DeflateOptions::default(), &headers) {
                Ok(Acceptance { response: head, agreed, .. }) => {
                    let (names, _) = names(&head);
                    let own = 3 + usize::from(protocol.is_some()) + usize::from(agreed.is_some());
                    assert_eq!(names, own + headers.len());
                    head
                }
                Err(_) => return,
            }
        }
    };
    let (_, status) = names(&head);
    assert!(status == 101 || status >= 400);
}

/// How many header fields a response has, and its status.
fn names(head: &[u8]) -> (usize, u16) {
    let mut storage = vec![httparse::EMPTY_HEADER; 20_000];
    let mut response = httparse::Response::new(&mut storage);
    assert!(response.parse(head).is_ok_and(|status| status.is_complete()), "not a response");
    (response.headers.len(), response.code.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::mutate;

    /// The files that the fuzzers start from too.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        names.iter().map(|name| std::fs::read(name).unwrap()).collect()
    }

    #[test]
    fn frames_withstand_mutation() {
        mutate(seeds("websocket_frames"), 20_000, frames);
    }

    #[test]
    fn compression_withstands_mutation() {
        mutate(seeds("websocket_deflate"), 5_000, deflate);
    }

    #[test]
    fn the_upgrade_withstands_mutation() {
        mutate(seeds("websocket_upgrade"), 20_000, upgrade);
    }
}
