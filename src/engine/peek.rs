//! A look at the handshake messages that come in the clear below TLS 1.3, before OpenSSL gets them.
//!
//! Records and messages may be split and joined in any way, and the bytes may come one at a time. What is malformed is
//! let through: OpenSSL refuses it with the right alert.

use crate::engine::psk::MAX_IDENTITY;
use crate::engine::Role;

/// Content types (RFC 5246, A.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Handshake types (RFC 5246, A.4).
const SERVER_HELLO: u8 = 2;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
/// So much of a message's body is kept: a length and an identity or a hint, which is more than a ServerHello up to its
/// suite.
const KEPT: usize = 2 + MAX_IDENTITY;
/// Version and random, before a ServerHello's session id.
const BEFORE_SESSION_ID: usize = 34;

/// What [`Peek::look`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing yet: all of it may go on.
    All,
    /// The first so many bytes may go on. With the next one OpenSSL asks for a key.
    Hold(usize),
    /// Nothing can come any more: the rest is encrypted.
    Over,
}

/// A header in assembly.
struct Header<const N: usize> {
    bytes: [u8; N],
    filled: usize,
}

impl<const N: usize> Header<N> {
    fn new() -> Self {
        Header { bytes: [0; N], filled: 0 }
    }

    fn is_full(&self) -> bool {
        self.filled == N
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.filled] = byte;
        self.filled += 1;
    }
}

pub(super) struct Peek {
    role: Role,
    record: Header<5>,
    /// Bytes of the record that are to come.
    record_left: usize,
    message: Header<4>,
    /// Bytes of the message that are to come.
    message_left: usize,
    /// The first [`KEPT`] bytes of the message's body.
    body: Vec<u8>,
    suite: [u8; 2],
    hint: Option<Vec<u8>>,
}

impl Peek {
    pub(super) fn new(role: Role) -> Self {
        Peek {
            role,
            record: Header::new(),
            record_left: 0,
            message: Header::new(),
            message_left: 0,
            body: Vec::new(),
            suite: [0; 2],
            hint: None,
        }
    }

    /// Takes the next bytes. Not to be called again after anything but [`Look::All`].
    pub(super) fn look(&mut self, bytes: &[u8]) -> Look {
        for (at, &byte) in bytes.iter().enumerate() {
            match self.byte(byte) {
                Look::All => {}
                Look::Hold(_) => return Look::Hold(at),
                Look::Over => return Look::Over,
            }
        }
        Look::All
    }

    /// Server, after a hold: the identity in the ClientKeyExchange.
    pub(super) fn found(&self) -> &[u8] {
        self.body.get(2..).unwrap_or_default()
    }

    /// Client: the number of the suite that the server chose.
    pub(super) fn suite(&self) -> [u8; 2] {
        self.suite
    }

    /// Client: the hint in the ServerKeyExchange, if the suite has one there, as OpenSSL keeps it: up to a zero byte.
    pub(super) fn hint(&self) -> Option<Vec<u8>> {
        let hint = self.hint.as_deref().filter(|hint| !hint.is_empty())?;
        hint.split(|&byte| byte == 0).next().map(<[u8]>::to_vec)
    }

    fn byte(&mut self, byte: u8) -> Look {
        if self.record_left == 0 {
            self.record.push(byte);
            if self.record.is_full() {
                let [kind, _, _, high, low] = self.record.bytes;
                if !matches!(kind, ALERT | HANDSHAKE) {
                    return Look::Over;
                }
                self.record_left = usize::from(u16::from_be_bytes([high, low]));
                self.record.filled = 0;
            }
            return Look::All;
        }
        self.record_left -= 1;
        match self.record.bytes[0] {
            HANDSHAKE => self.handshake(byte),
            _ => Look::All,
        }
    }

    fn handshake(&mut self, byte: u8) -> Look {
        if self.message.is_full() {
            self.message_left -= 1;
            if self.body.len() < KEPT {
                self.body.push(byte);
            }
        } else {
            self.message.push(byte);
            if !self.message.is_full() {
                return Look::All;
            }
            let [_, high, middle, low] = self.message.bytes;
            self.message_left = u32::from_be_bytes([0, high, middle, low]) as usize;
            self.body.clear();
        }
        if self.asks() {
            return Look::Hold(0);
        }
        if self.message_left == 0 {
            self.end_of_message();
            self.message.filled = 0;
        }
        Look::All
    }

    /// This byte is the last that OpenSSL needs before it asks for a key.
    fn asks(&self) -> bool {
        match (self.role, self.message.bytes[0]) {
            (Role::Client, SERVER_HELLO_DONE) => self.message_left == 0,
            (Role::Server, CLIENT_KEY_EXCHANGE) => {
                vector(&self.body).is_some_and(|identity| identity.len() + 2 == self.body.len())
            }
            _ => false,
        }
    }

    fn end_of_message(&mut self) {
        match (self.role, self.message.bytes[0]) {
            (Role::Client, SERVER_HELLO) => {
                let after = self.body.get(BEFORE_SESSION_ID).map(|&id| BEFORE_SESSION_ID + 1 + usize::from(id));
                if let Some(&[high, low]) = after.and_then(|at| self.body.get(at..at + 2)) {
                    self.suite = [high, low];
                }
            }
            (Role::Client, SERVER_KEY_EXCHANGE) => self.hint = vector(&self.body).map(<[u8]>::to_vec),
            _ => {}
        }
    }
}

/// What follows a length of two bytes, if all of it is there.
fn vector(bytes: &[u8]) -> Option<&[u8]> {
    let [high, low, rest @ ..] = bytes else { return None };
    rest.get(..usize::from(u16::from_be_bytes([*high, *low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    }

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        [&[kind, 3, 3], &(content.len() as u16).to_be_bytes()[..], content].concat()
    }

    fn key_exchange(identity: &[u8]) -> Vec<u8> {
        let length = (identity.len() as u16).to_be_bytes();
        message(CLIENT_KEY_EXCHANGE, &[&length[..], identity, b"more"].concat())
    }

    fn server_hello(suite: [u8; 2], session_id: &[u8]) -> Vec<u8> {
        let id = [&[session_id.len() as u8], session_id].concat();
        message(SERVER_HELLO, &[&[3, 3][..], &[7; 32], &id, &suite, &[0]].concat())
    }

    #[test]
    fn an_identity_is_found_however_its_bytes_are_split() {
        for identity in [&b""[..], b"me", &[b'x'; MAX_IDENTITY]] {
            let hello = message(1, &[9; 300]);
            let exchange = key_exchange(identity);
            for piece in [1, 2, 3, 5, 100, 16_000] {
                let warning = record(ALERT, &[1, 90]);
                let records =
                    |m: &[u8]| m.chunks(piece).map(|part| record(HANDSHAKE, part)).collect::<Vec<_>>().concat();
                let stream = [records(&hello), warning, records(&exchange), record(20, &[1])].concat();
                let mut peek = Peek::new(Role::Server);
                let mut passed = 0;
                let held = stream.chunks(piece).find_map(|part| match peek.look(part) {
                    Look::All => {
                        passed += part.len();
                        None
                    }
                    look => Some(look),
                });
                let Some(Look::Hold(count)) = held else { panic!("{held:?}") };
                assert_eq!(peek.found(), identity);
                // The byte that is held back completes the identity.
                let content = |bytes: &[u8]| {
                    let mut all = Peek::new(Role::Server);
                    matches!(all.look(bytes), Look::Hold(_))
                };
                assert!(!content(&stream[..passed + count]) && content(&stream[..=passed + count]));
            }
        }
    }

    #[test]
    fn a_server_is_asked_about_at_the_end_of_its_flight() {
        for id in [&[][..], &[5; 32]] {
            for (exchange, hint) in [
                (vec![], None),
                (message(SERVER_KEY_EXCHANGE, b"\x00\x02hi rest"), Some(b"hi".to_vec())),
                (message(SERVER_KEY_EXCHANGE, b"\x00\x00 rest"), None),
                (message(SERVER_KEY_EXCHANGE, b"\x00\x03h\x00i"), Some(b"h".to_vec())),
                (message(SERVER_KEY_EXCHANGE, b"\x01\x00short"), None),
            ] {
                let flight = [server_hello([0xc0, 0x37], id), exchange, message(SERVER_HELLO_DONE, &[])].concat();
                let joined = record(HANDSHAKE, &flight);
                let mut peek = Peek::new(Role::Client);
                assert_eq!(peek.look(&joined), Look::Hold(joined.len() - 1));
                assert_eq!((peek.suite(), peek.hint()), ([0xc0, 0x37], hint));
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_let_through() {
        for stream in [
            record(HANDSHAKE, &key_exchange(&[b'x'; MAX_IDENTITY + 1])),
            record(HANDSHAKE, &message(CLIENT_KEY_EXCHANGE, b"\x00\x09short")),
            record(HANDSHAKE, &message(CLIENT_KEY_EXCHANGE, b"\x00")),
            record(HANDSHAKE, &message(CLIENT_KEY_EXCHANGE, &[])),
            record(HANDSHAKE, &[]),
            record(ALERT, &[]),
        ] {
            assert_eq!(Peek::new(Role::Server).look(&stream), Look::All);
        }
        for first in [20, 23, 0x80, b'G'] {
            assert_eq!(Peek::new(Role::Server).look(&record(first, b"x")), Look::Over);
        }
        let mut client = Peek::new(Role::Client);
        let odd = [message(SERVER_HELLO, &[1]), message(SERVER_HELLO_DONE, b"x"), message(0, &[])].concat();
        assert_eq!(client.look(&record(HANDSHAKE, &odd)), Look::Hold(5 + 5 + 4));
        assert_eq!((client.suite(), client.hint()), ([0; 2], None));
    }
}
