//! For tests and fuzzing: the client's end of a session's records, which may say anything.

use super::protection::{Direction, Protection, Suite, HEADER, TAG};
use super::schedule::Secret;
use super::{Complete, Established, Progress, HANDSHAKE, KEY_UPDATE};
use crate::engine::state::Bytes;
use crate::engine::{Context, TlsSession};

/// Seals as the client and opens what the server sends.
pub(in crate::engine) struct Forger {
    seal: Protection,
    open: Protection,
}

impl Forger {
    /// With the first traffic secrets, in hexadecimal digits.
    pub fn new(suite: u16, client: &[u8], server: &[u8]) -> Self {
        let suite = Suite::find(suite).unwrap();
        let secret = |digits| Secret::from_hex(digits).unwrap();
        Forger {
            seal: Protection::new(suite, Direction::Seal, secret(client), 0).unwrap(),
            open: Protection::new(suite, Direction::Open, secret(server), 0).unwrap(),
        }
    }

    /// A record of type `kind`, with so many zeros behind it.
    pub fn record(&mut self, kind: u8, content: &[u8], padding: usize) -> Vec<u8> {
        let mut inner = [content, &[kind]].concat();
        inner.resize(inner.len() + padding, 0);
        let (&last, rest) = inner.split_last().unwrap();
        let mut out = Vec::new();
        self.seal.seal(last, rest, &mut out).unwrap();
        out
    }

    /// A KeyUpdate, behind which the next key is in use. `ask`: for one of the server's, too.
    pub fn key_update(&mut self, ask: bool) -> Vec<u8> {
        let record = self.record(HANDSHAKE, &[KEY_UPDATE, 0, 0, 1, ask.into()], 0);
        self.next_key();
        record
    }

    pub fn next_key(&mut self) {
        self.seal.next_generation().unwrap();
    }

    /// Opens the server's records, whole ones: type and content of each. Goes along with its KeyUpdates. `None`: they
    /// cannot be opened.
    pub fn read(&mut self, mut bytes: &[u8]) -> Option<Vec<(u8, Vec<u8>)>> {
        let mut records = Vec::new();
        while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
            let (sealed, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([header[3], header[4]])))?;
            let mut inner = vec![0; sealed.len().checked_sub(TAG)?];
            if !self.open.open(header, sealed, &mut inner) {
                return None;
            }
            let kind = inner.pop()?;
            if (kind, &inner[..]) == (HANDSHAKE, &[KEY_UPDATE, 0, 0, 1, 0]) {
                self.open.next_generation().unwrap();
            }
            records.push((kind, inner));
            bytes = rest;
        }
        bytes.is_empty().then_some(records)
    }
}

/// A server's session that has no handshake behind it, and its other end.
pub(in crate::engine) fn bare(context: &Context, suite: u16) -> (Box<dyn TlsSession>, Forger) {
    let length = if suite == 0x1302 { 96 } else { 64 };
    let (client, server, exporter) = (vec![b'c'; length], vec![b'5'; length], vec![b'e'; length]);
    let secret = |digits| Secret::from_hex(digits).unwrap();
    let secrets = Complete { client: secret(&client), server: secret(&server), exporter: secret(&exporter) };
    let progress = Progress { sent: 0, received: 0, closed: false, max_fragment: 1 << 14 };
    let ssl = context.new_ssl().unwrap();
    // SAFETY: `ssl` is live, ours, and freed once.
    let session = unsafe {
        let session = Established::new(ssl, Suite::find(suite).unwrap(), secrets, None, Bytes::default(), progress);
        openssl_sys::SSL_free(ssl);
        session
    };
    (Box::new(session.unwrap()), Forger::new(suite, &client, &server))
}
