//! Entry points for fuzzing, which `fuzz/` runs under libFuzzer and a test runs with a simple mutator. Whatever `data`
//! is, they come to their end; a finding is a panic.

use std::sync::OnceLock;
use std::time::Instant;

use super::peek::{Look, Peek};
use super::record::bare;
use super::testing::{config, server_context, Id, Kind, Peer};
use super::{Answer, Context, Question, Read, Role, SessionEvent, SharedKey, TlsSession};

const APPLICATION_DATA: u8 = 23;

fn context() -> &'static Context {
    static CONTEXT: OnceLock<Context> = OnceLock::new();
    CONTEXT.get_or_init(|| server_context(&Id::new("localhost", Kind::Ec, None, 30)))
}

/// Takes bytes off the input; zeros behind its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn bytes(&mut self) -> &'a [u8] {
        let wanted = usize::from(self.byte());
        let (head, rest) = self.0.split_at(wanted.min(self.0.len()));
        self.0 = rest;
        head
    }
}

/// The record layer behind the handshake, against a client that seals what it likes and may put raw bytes between.
pub fn records(data: &[u8]) {
    let mut input = Input(data);
    let suite = 0x1301 + u16::from(input.byte() % 3);
    let mut buf = vec![0; [1, 7, 100, 20_000][usize::from(input.byte() % 4)]];
    let (mut session, mut forger) = bare(context(), suite);
    // All that the client ever said, and what came of it.
    let (mut said, mut heard) = (Vec::new(), Vec::new());
    // Nothing yet that a server may refuse.
    let mut honest = true;
    let mut asked = 0;
    while !input.0.is_empty() {
        match input.byte() % 8 {
            0 => {
                honest = false;
                session.feed(input.bytes());
            }
            1 => {
                honest = false;
                let kind = input.byte();
                let (padding, content) = (input.byte(), input.bytes());
                // Without a type the last byte of the content that is not zero would be one.
                let content = if kind == 0 { &[] } else { content };
                session.feed(&forger.record(kind, content, padding.into()));
                if kind == APPLICATION_DATA {
                    said.extend_from_slice(content);
                }
            }
            2 => {
                honest = false;
                session.feed(&forger.record(22, input.bytes(), 0));
            }
            3 => {
                asked += 1;
                honest &= asked <= 32;
                let update = forger.key_update(input.byte() % 2 == 1);
                session.feed(&update);
            }
            4 => {
                let clear = input.bytes();
                if session.write(clear).is_err() {
                    honest = false;
                }
            }
            5 => {
                session.close_notify();
                honest = false;
            }
            _ => {
                let (content, padding) = (input.bytes(), input.byte());
                let record = forger.record(APPLICATION_DATA, content, usize::from(padding) * 16);
                honest &= !content.is_empty();
                let cut = if input.byte() == 255 { record.len() / 2 } else { record.len() };
                honest &= cut == record.len();
                session.feed(&record[..cut]);
                said.extend_from_slice(content);
            }
        }
        let failed = read_all(&mut *session, &mut buf, &mut heard);
        assert!(said.starts_with(&heard), "clear bytes that nobody sent");
        assert!(!(honest && failed), "an honest client was refused");
        assert!(!honest || heard.len() == said.len(), "clear bytes are missing");
        let output = std::mem::take(session.output());
        assert!(forger.read(&output).is_some(), "the client cannot open what was sent");
        if failed {
            assert!(session.write(b"x").is_err() && session.handshake(Instant::now()).is_err());
            return;
        }
    }
}

/// True when the session failed; then it fails again in the same way.
fn read_all(session: &mut dyn TlsSession, buf: &mut [u8], heard: &mut Vec<u8>) -> bool {
    loop {
        match session.read(buf, &Instant::now) {
            Ok(Read::Data(count)) => heard.extend_from_slice(&buf[..count]),
            Ok(_) => return false,
            Err(error) => {
                assert_eq!(session.read(buf, &Instant::now).unwrap_err(), error);
                return true;
            }
        }
    }
}

/// A ClientHello: any bytes as its message, or good ones with any bytes as the extensions that are looked at.
pub fn hello(data: &[u8]) {
    let mut input = Input(data);
    let raw = input.byte() % 4 == 0;
    let body = if raw { input.0.to_vec() } else { client_hello(&mut input) };
    let length = (body.len() as u32).to_be_bytes();
    let message = [&[1], &length[1..], &body].concat();
    let mut sc = config(Role::Server);
    sc.hooks.client_hello = true;
    sc.hooks.psk = true;
    sc.alpn = b"\x02h2".to_vec();
    let mut server = Peer::new(context(), sc);
    for part in message.chunks(1 << 14) {
        let length = (part.len() as u16).to_be_bytes();
        server.step(&[&[22, 3, 1], &length[..], part].concat());
    }
    for event in std::mem::take(&mut server.events) {
        let SessionEvent::Question(Question::ClientHello { servername, session_id, .. }) = event else { continue };
        assert!(
            servername.is_none_or(|name| (1..256).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic()))
        );
        assert!(session_id.len() <= 32);
        if server.session.answer(Answer::ClientHello { session: None, alpn: None }).is_ok() {
            server.step(&[]);
        }
    }
    for event in std::mem::take(&mut server.events) {
        let SessionEvent::Question(Question::PskIdentities { identities }) = event else { continue };
        assert!((1..=32).contains(&identities.len()));
        assert!(identities.iter().all(|one| (1..=256).contains(&one.len()) && !one.contains('\0')));
        let identity = identities[0].clone();
        if server.session.answer(Answer::Psk(Some(SharedKey { identity, key: vec![7; 16].into() }))).is_ok() {
            server.step(&[]);
        }
    }
}

/// Handshake messages in clear: a look at them comes to the same however they are split.
pub fn peek(data: &[u8]) {
    let mut input = Input(data);
    let role = if input.byte() % 2 == 0 { Role::Client } else { Role::Server };
    let piece = usize::from(input.byte()) + 1;
    let stream = match input.byte() % 2 {
        0 => input.0.to_vec(),
        _ => messages(&mut input),
    };
    let (mut whole, mut parts) = (Peek::new(role), Peek::new(role));
    let seen = whole.look(&stream);
    let mut passed = 0;
    let found = stream.chunks(piece).find_map(|part| match parts.look(part) {
        Look::All => {
            passed += part.len();
            None
        }
        Look::Hold(count) => Some(Look::Hold(passed + count)),
        Look::Over => Some(Look::Over),
    });
    assert_eq!(found.unwrap_or(Look::All), seen);
    if let Look::Hold(count) = seen {
        assert!(count < stream.len());
        assert_eq!((whole.found(), whole.suite(), whole.hint()), (parts.found(), parts.suite(), parts.hint()));
    }
}

/// Well-formed records with pieces of well-formed messages.
fn messages(input: &mut Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.0.is_empty() {
        let kind = [2, 12, 14, 16][usize::from(input.byte()) % 4];
        let body = input.bytes();
        let message = [&[kind, 0, 0, body.len() as u8], body].concat();
        for part in message.chunks(usize::from(input.byte()) + 1) {
            stream.extend_from_slice(&[22, 3, 3, (part.len() >> 8) as u8, part.len() as u8]);
            stream.extend_from_slice(part);
        }
    }
    stream
}

fn client_hello(input: &mut Input<'_>) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let mut extensions = Vec::new();
    while !input.0.is_empty() {
        // server_name, status_request, supported_groups, signature_algorithms, ALPN, session_ticket, supported_versions,
        // key_share, psk_key_exchange_modes, pre_shared_key.
        let kinds = [0, 5, 10, 13, 16, 35, 43, 51, 45, 41];
        let kind = kinds[usize::from(input.byte()) % kinds.len()];
        extensions.extend_from_slice(&[0, kind]);
        extensions.extend(vector(input.bytes()));
    }
    [&[3, 3][..], &[7; 32], &[0], &vector(&[0x13, 1, 0xc0, 0x2b]), &[1, 0], &vector(&extensions)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::mutate;

    #[test]
    fn the_record_layer_withstands_mutation() {
        let seeds = [
            &b"\x00\x03\x07\x04data\x09\x00\x03\x01\x04\x02ab\x07\x01z\x00\x00\x03\x00"[..],
            b"\x01\x01\x01\x16\x00\x05\x18\x00\x00\x01\x01\x07\x02xy\x01\x00",
            b"\x02\x00\x01\x15\x02\x02\x01\x00\x07\x01q\x00\x00\x00\x05\x17\x03\x03\x00\x10",
            b"\x00\x02\x07\x03abc\x00\x00\x05\x07\x01a\x00\x00\x02\x03\x18\x00\x00",
        ];
        mutate(seeds.map(<[u8]>::to_vec).to_vec(), 6_000, records);
    }

    #[test]
    fn the_hello_withstands_mutation() {
        let seeds = [
            &b"\x01\x00\x08\x00\x06\x00\x00\x03a.b\x04\x05\x00\x03\x02h2\x05\x01x\x01\x05\x01\x00\x00\x00\x00"[..],
            b"\x01\x06\x03\x02\x03\x04\x02\x04\x00\x02\x00\x1d\x03\x04\x00\x02\x04\x03",
            b"\x00\x03\x03",
            b"\x01\x06\x03\x02\x03\x04\x02\x04\x00\x02\x00\x1d\x08\x02\x01\x01\x09\x0d\x00\x08\x00\x02me\x00\x00\x00\x00\x00\x01\x00",
        ];
        mutate(seeds.map(<[u8]>::to_vec).to_vec(), 2_000, hello);
    }

    #[test]
    fn a_look_at_messages_withstands_mutation() {
        let seeds = [
            &b"\x01\x00\x01\x03\x06\x00\x02mexx\xff"[..],
            b"\x00\x02\x01\x01\x06\x00\x02hixx\x04\x02\x00\x00",
            b"\x01\x03\x00\x15\x03\x03\x00\x02\x01\x5a\x16\x03\x03\x00\x08\x10\x00\x00\x04\x00\x02me",
            b"\x00\x00\x00\x16\x03\x03\x00\x04\x0e\x00\x00\x00",
        ];
        mutate(seeds.map(<[u8]>::to_vec).to_vec(), 20_000, peek);
    }
}
