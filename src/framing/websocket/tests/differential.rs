//! Against `sockudo-ws`, which passes Autobahn's cases: random traffic, good and bad, means the same to both. It is the same
//! traffic every time.

use bytes::BytesMut;
use sockudo_ws::deflate::{DeflateConfig, DeflateWindowBits};
use sockudo_ws::error::Error;
use sockudo_ws::protocol::{CompressedProtocol, Message};

use super::*;
use crate::mutate::Random;

const LIMIT: usize = 200_000;

fn theirs(takeover: bool) -> DeflateConfig {
    DeflateConfig {
        server_max_window_bits: DeflateWindowBits::Bits15,
        client_max_window_bits: DeflateWindowBits::Bits15,
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        ..DeflateConfig::default()
    }
}

fn note(message: Message) -> Heard {
    match message {
        Message::Text(bytes) => Heard::Part(Kind::Text, bytes.to_vec(), true),
        Message::Binary(bytes) => Heard::Part(Kind::Binary, bytes.to_vec(), true),
        Message::Ping(bytes) => Heard::Ping(bytes.to_vec()),
        Message::Pong(bytes) => Heard::Pong(bytes.to_vec(), None),
        Message::Close(close) => {
            let (code, reason) =
                close.map_or((None, String::new()), |close| (Some(close.code), close.reason.to_string()));
            Heard::Close(code, reason)
        }
    }
}

fn kind_of(error: &Error) -> u16 {
    match error {
        Error::InvalidUtf8 | Error::Compression(_) => 1007,
        Error::MessageTooLarge | Error::FrameTooLarge | Error::Capacity(_) => 1009,
        _ => 1002,
    }
}

fn payload(random: &mut Random) -> Vec<u8> {
    let size = [0, 1, 5, 125, 126, 400, 5_000, 70_000][random.next(8)];
    let size = random.next(size + 1);
    match random.next(3) {
        0 => (0..size).map(|_| random.next(256) as u8).collect(),
        1 => "temperature é 😱 ".bytes().cycle().take(size).collect(),
        _ => vec![b'a' + random.next(26) as u8; size],
    }
}

/// Frames as a client sends them. Its own masking keys would be others every time, and with them what becomes of a stream
/// that was damaged.
fn masked(unmasked: &[u8]) -> Vec<u8> {
    super::sending::split(unmasked).iter().flat_map(|(first, payload)| frame(*first, payload)).collect()
}

/// A client's traffic, mostly good.
fn traffic(random: &mut Random, takeover: bool, mischief: usize) -> Vec<u8> {
    let deflate = DeflateOptions { threshold: 100, ..Default::default() };
    let config = Config { max_frame: [10, 1_000, usize::MAX][random.next(3)], deflate, ..Config::new(Role::Client) };
    let agreed = super::compression::both(takeover);
    let mut client = Session::new(&config, agreed);
    let mut compressed = CompressedProtocol::server(LIMIT, LIMIT, theirs(takeover));
    let mut own = random.next(2) == 0;
    let mut out = Vec::new();
    for _ in 0..random.next(12) + 1 {
        let payload = payload(random);
        // Their compressor and ours have a window each: without takeover they may take turns.
        own = if takeover { own } else { random.next(2) == 0 };
        let is_text = std::str::from_utf8(&payload).is_ok() && random.next(4) > 0;
        match random.next(8) {
            0 => _ = client.ping_with(&payload[..payload.len().min(125)], &mut out),
            1 => _ = client.pong(&payload[..payload.len().min(125)], &mut out),
            _ if own => client.message(if is_text { Kind::Text } else { Kind::Binary }, &payload, &mut out).unwrap(),
            _ => {
                let mut buffer = BytesMut::new();
                let message = if is_text { Message::Text(payload.into()) } else { Message::Binary(payload.into()) };
                compressed.encode_message(&message, &mut buffer).unwrap();
                out.extend_from_slice(&masked(&buffer));
            }
        }
    }
    if random.next(3) == 0 {
        client.close(Some(1000 + random.next(4) as u16), "bye", &mut out).unwrap();
    }
    for _ in 0..mischief {
        let at = random.next(out.len());
        match random.next(3) {
            0 => out[at] ^= 1 << random.next(8),
            1 => out.truncate(at + 1),
            _ => out.splice(at..at, frame(random.next(256) as u8, &[random.next(256) as u8; 3])).for_each(drop),
        }
    }
    if mischief > 0 {
        // They look at a length before its header is complete: one that was cut off gets its end.
        out.extend([0; 14]);
    }
    out
}

#[test]
fn servers_understand_the_same() {
    let mut random = Random(0x5eed);
    let (mut messages_seen, mut failures) = (0, 0);
    for round in 0..3_000 {
        let (takeover, mischief) = (round % 2 == 0, round % 3);
        let stream = traffic(&mut random, takeover, mischief);
        let limits = Limits { frame: LIMIT as u64, message: LIMIT as u64, ..Limits::default() };
        let mut ours = Side::new(&Config { limits, ..server(true) }, super::compression::both(takeover));
        let mut reference = CompressedProtocol::server(LIMIT, LIMIT, theirs(takeover));
        let (mut buffer, mut heard) = (BytesMut::new(), Vec::new());
        let piece = random.next(3_000) + 1;
        let (mut failure, mut error) = (None, None);
        for part in stream.chunks(piece) {
            if failure.is_none() {
                failure = ours.receive(part).err();
            }
            if error.is_none() && !reference.is_closed() {
                buffer.extend_from_slice(part);
                let mut found = Vec::new();
                error = reference.process_into(&mut buffer, &mut found).err();
                heard.extend(found.into_iter().map(note));
            }
        }
        // They look at what follows a Close frame.
        if let Some(at) = heard.iter().position(|one| matches!(one, Heard::Close(..))) {
            heard.truncate(at + 1);
            error = None;
        }
        let context = format!("round {round}: {failure:?} {error:?}");
        assert!(mischief > 0 || failure.is_none() && error.is_none(), "{context}");
        // We look into a frame before all of it has come, and may see first what they come to later, or would.
        let sooner = failure.is_some_and(|failure| matches!(failure.code, 1007 | 1009) || error.is_none());
        if sooner {
            assert!(heard.starts_with(&ours.heard), "{context}");
            // Behind a final block, which damage may make, they still know what came before it, and we do not.
            let damaged = failure.is_some_and(|failure| failure.reason == "invalid compressed data");
            let more = &heard[ours.heard.len()..];
            assert!(damaged || more.iter().all(|one| !matches!(one, Heard::Part(..))), "{context}");
        } else {
            assert_eq!(ours.heard, heard, "{context}");
            let codes = (failure.map(|failure| failure.code), error.as_ref().map(kind_of));
            // A frame that is out of place and too long has two faults.
            assert!(codes.0 == codes.1 || codes == (Some(1002), Some(1009)), "{context}");
        }
        messages_seen += heard.len();
        failures += usize::from(error.is_some());
    }
    assert!(messages_seen > 10_000 && failures > 300, "{messages_seen} {failures}");
}

#[test]
fn a_client_understands_what_we_send() {
    let mut random = Random(0xc0ffee);
    for round in 0..300 {
        let takeover = round % 2 == 0;
        let deflate = DeflateOptions { threshold: 50, level: 1 + (round % 9) as u8, ..Default::default() };
        let config = Config { max_frame: random.next(3_000) + 1, deflate, ..Config::new(Role::Server) };
        let mut session = Session::new(&config, super::compression::both(takeover));
        let mut client = CompressedProtocol::client(LIMIT, LIMIT, theirs(takeover));
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for _ in 0..10 {
            let payload = payload(&mut random);
            let kind = if std::str::from_utf8(&payload).is_ok() { Kind::Text } else { Kind::Binary };
            let cut = random.next(payload.len() + 1);
            session.part(kind, &payload[..cut], false, &mut wire).unwrap();
            session.part(kind, &payload[cut..], true, &mut wire).unwrap();
            session.message(kind, &payload, &mut wire).unwrap();
            expected.extend([Heard::Part(kind, payload.clone(), true), Heard::Part(kind, payload, true)]);
        }
        let heard = client.process(&mut BytesMut::from(&wire[..])).unwrap();
        assert!(heard.into_iter().map(note).collect::<Vec<_>>() == expected);
    }
}
