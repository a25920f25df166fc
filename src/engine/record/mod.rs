//! A server's TLS 1.3 connection after its handshake: records, alerts, KeyUpdate.
//!
//! OpenSSL makes the handshake and does the arithmetic here too. But its `SSL` holds 20 KiB for every connection, nearly
//! all of it for what can no longer happen, and passes each record through layers that were made for every version at
//! once. So a connection that begins to carry data leaves its `SSL`: it takes the traffic secrets along, and an answer to
//! whatever may still be asked.
//!
//! Clients stay with OpenSSL, for the session tickets that come at any time; and so do TLS 1.2 and below, for
//! renegotiation.

mod facts;
mod protection;
mod schedule;
#[cfg(any(test, fuzzing))]
mod testing;

use std::collections::VecDeque;
use std::ffi::c_int;
use std::time::Instant;

use openssl_sys as sys;

use facts::Facts;
use protection::{Direction, Protection, HEADER, MAX_CLEAR, MAX_OF_ANY_VERSION, MAX_SEALED};
use schedule::Secret;

use super::state::Bytes;
use super::{
    failure, info, trace, Answer, Cipher, Context, EphemeralKey, Handshake, Hooks, KeyExchange, Read, Role,
    SessionEvent, TlsSession, Verify,
};
use crate::error::{Error, Result};

pub(super) use protection::Suite;
#[cfg(any(test, fuzzing))]
pub(super) use testing::bare;
#[cfg(test)]
pub(super) use testing::Forger;

/// Content types (RFC 8446, B.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;
/// Handshake type, and a message's header with its only byte (RFC 8446, 4.6.3).
const KEY_UPDATE: u8 = 24;
const KEY_UPDATE_LENGTH: usize = 5;
/// Alerts (RFC 8446, 6).
const CLOSE_NOTIFY: u8 = 0;
const UNEXPECTED_MESSAGE: u8 = 10;
const BAD_RECORD_MAC: u8 = 20;
const RECORD_OVERFLOW: u8 = 22;
const BAD_CERTIFICATE: u8 = 42;
const ILLEGAL_PARAMETER: u8 = 47;
const DECODE_ERROR: u8 = 50;
const PROTOCOL_VERSION: u8 = 70;
const USER_CANCELED: u8 = 90;
const WARNING: u8 = 1;
const FATAL: u8 = 2;
/// `SSL_R_...` of `openssl/sslerr.h`.
const R_BAD_KEY_UPDATE: c_int = 122;
const R_DATA_LENGTH_TOO_LONG: c_int = 146;
const R_ENCRYPTED_LENGTH_TOO_LONG: c_int = 150;
const R_EXCESSIVE_MESSAGE_SIZE: c_int = 152;
const R_NOT_ON_RECORD_BOUNDARY: c_int = 182;
const R_PACKET_LENGTH_TOO_LONG: c_int = 198;
const R_INVALID_ALERT: c_int = 205;
const R_PROTOCOL_IS_SHUTDOWN: c_int = 207;
const R_UNEXPECTED_MESSAGE: c_int = 244;
const R_WRONG_SSL_VERSION: c_int = 266;
const R_WRONG_VERSION_NUMBER: c_int = 267;
const R_BAD_LENGTH: c_int = 271;
const R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC: c_int = 281;
const R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA: c_int = 293;
const R_RECORD_TOO_SMALL: c_int = 298;
const R_TOO_MANY_KEY_UPDATES: c_int = 132;
const R_TOO_MANY_WARN_ALERTS: c_int = 409;
const R_BAD_RECORD_TYPE: c_int = 443;
/// A fatal alert of the peer is this much above its number.
const R_ALERT_OFFSET: c_int = 1000;
/// In a row, as OpenSSL has them.
const MAX_EMPTY_RECORDS: u8 = 32;
const MAX_WARNINGS: u8 = 5;
/// Without data in either direction between them: each costs us more than the peer.
const MAX_KEY_UPDATES: u8 = 32;
/// So many records go out under one key, far below what RFC 8446, 5.5 allows AES-GCM (2^24.5 full ones). Few in tests,
/// so that they get there.
const KEY_LIFETIME: u64 = if cfg!(any(test, fuzzing)) { 64 } else { 1 << 23 };
const MIN_FRAGMENT: usize = 512;

/// The records in `bytes`, which begin with one and end with one.
pub(super) fn count(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let [_, _, _, high, low, rest @ ..] = bytes {
        count += 1;
        bytes = rest.get(usize::from(u16::from_be_bytes([*high, *low]))..).unwrap_or_default();
    }
    count
}

/// The secrets of the application's traffic, as far as they are known.
#[derive(Default)]
pub(super) struct Secrets {
    client: Option<Secret>,
    server: Option<Secret>,
    exporter: Option<Secret>,
}

impl Secrets {
    /// Looks at a line of the key log.
    pub(super) fn note(secrets: &mut Option<Box<Secrets>>, line: &[u8]) {
        let mut words = line.split(|&byte| byte == b' ');
        let (Some(label), Some(_random), Some(digits)) = (words.next(), words.next(), words.next()) else { return };
        let place: fn(&mut Secrets) -> &mut Option<Secret> = match label {
            b"CLIENT_TRAFFIC_SECRET_0" => |s| &mut s.client,
            b"SERVER_TRAFFIC_SECRET_0" => |s| &mut s.server,
            b"EXPORTER_SECRET" => |s| &mut s.exporter,
            _ => return,
        };
        *place(secrets.get_or_insert_default()) = Secret::from_hex(digits);
    }

    /// `None` unless all are known: the session is not TLS 1.3.
    pub(super) fn complete(self) -> Option<Complete> {
        let Secrets { client, server, exporter } = self;
        Some(Complete { client: client?, server: server?, exporter: exporter? })
    }
}

pub(super) struct Complete {
    client: Secret,
    server: Secret,
    exporter: Secret,
}

/// How far the session has come.
pub(super) struct Progress {
    /// Records under the application's keys.
    pub sent: u64,
    pub received: u64,
    /// close_notify is among those sent.
    pub closed: bool,
    /// Clear bytes of a record.
    pub max_fragment: usize,
}

/// See the module's text.
pub(super) struct Established {
    bytes: Bytes,
    read: Protection,
    write: Protection,
    facts: Box<Facts>,
    max_fragment: usize,
    /// Clear bytes of a record that had no room in the reader's buffer, and how many of them are read.
    rest: Vec<u8>,
    rest_read: usize,
    /// The beginning of a handshake message.
    message: Vec<u8>,
    empty_records: u8,
    key_updates: u8,
    warnings: u8,
    /// The peer asked for a new key of ours and has no answer yet.
    update_owed: bool,
    /// The peer's close_notify came.
    ended: bool,
    /// Ours is out.
    closed: bool,
    failed: Option<Error>,
    /// What is told of records, once it is asked for.
    traced: Option<VecDeque<String>>,
}

impl Established {
    /// SAFETY: `ssl` is live.
    pub(super) unsafe fn new(
        ssl: *mut sys::SSL,
        suite: Suite,
        secrets: Complete,
        servername: Option<String>,
        bytes: Bytes,
        progress: Progress,
    ) -> Result<Self> {
        let Complete { client, server, exporter } = secrets;
        Ok(Established {
            bytes,
            read: Protection::new(suite, Direction::Open, client, progress.received)?,
            write: Protection::new(suite, Direction::Seal, server, progress.sent)?,
            // SAFETY: the caller's promise.
            facts: Box::new(unsafe { Facts::read(ssl, suite, exporter, servername) }),
            max_fragment: progress.max_fragment,
            rest: Vec::new(),
            rest_read: 0,
            message: Vec::new(),
            empty_records: 0,
            key_updates: 0,
            warnings: 0,
            update_owed: false,
            ended: false,
            closed: progress.closed,
            failed: None,
            traced: None,
        })
    }

    /// An error is final.
    fn begin(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// The owner does not want this peer: an alert for it.
    pub(super) fn dismiss(mut self) -> Vec<u8> {
        let _ = self.write.seal(ALERT, &[FATAL, BAD_CERTIFICATE], &mut self.bytes.output);
        std::mem::take(&mut self.bytes.output)
    }

    /// Ends the session with an alert and an error of OpenSSL's name.
    fn refuse(&mut self, alert: u8, reason: c_int) -> Error {
        if !self.closed {
            self.closed = true;
            // Without it the connection just closes.
            let _ = self.put(ALERT, &[FATAL, alert]);
        }
        self.fail(failure::raise(reason, ""))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.failed = Some(error.clone());
        error
    }

    /// Opens the next record, into `buf` where it fits, else into the rest. `None`: more bytes are needed.
    fn open_record(&mut self, buf: &mut [u8]) -> Result<Option<Record>> {
        let Some(&header) = self.bytes.waiting().first_chunk::<HEADER>() else { return Ok(None) };
        let [kind, major, minor, high, low] = header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        // The checks are OpenSSL's, in its order but for one. This version is SSL 2's.
        if [major, minor] == [0, 2] {
            return Err(self.refuse(PROTOCOL_VERSION, R_WRONG_VERSION_NUMBER));
        }
        // OpenSSL names the type first since 3.6, before it the length; so do all Nodes there are.
        if length > MAX_OF_ANY_VERSION {
            return Err(self.refuse(RECORD_OVERFLOW, R_PACKET_LENGTH_TOO_LONG));
        }
        if kind != APPLICATION_DATA {
            return Err(self.refuse(UNEXPECTED_MESSAGE, R_BAD_RECORD_TYPE));
        }
        if [major, minor] != [3, 3] {
            return Err(self.refuse(DECODE_ERROR, R_WRONG_VERSION_NUMBER));
        }
        if length > MAX_SEALED {
            return Err(self.refuse(RECORD_OVERFLOW, R_ENCRYPTED_LENGTH_TOO_LONG));
        }
        let Some(sealed) = self.bytes.waiting().get(HEADER..HEADER + length) else { return Ok(None) };
        let fits = length <= buf.len();
        let into = if fits {
            &mut *buf
        } else {
            self.rest.resize(length, 0);
            &mut self.rest[..]
        };
        if !self.read.open(&header, sealed, into) {
            self.rest = Vec::new();
            failure::clear();
            return Err(self.refuse(BAD_RECORD_MAC, R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC));
        }
        let inner = &into[..length - protection::TAG];
        // The content ends with its type, behind which there may be zeros.
        let end = inner.iter().rposition(|&byte| byte != 0);
        let found = end.map(|end| (inner[end], end));
        let sealed_length = length;
        self.bytes.advance(HEADER + length);
        let Some((kind, length)) = found else { return Err(self.refuse(UNEXPECTED_MESSAGE, R_BAD_RECORD_TYPE)) };
        if length > MAX_CLEAR {
            return Err(self.refuse(RECORD_OVERFLOW, R_DATA_LENGTH_TOO_LONG));
        }
        if !fits {
            self.rest.truncate(length);
        }
        if let Some(traced) = &mut self.traced {
            let content = if fits { &buf[..length] } else { &self.rest[..] };
            traced.push_back(trace::record(false, kind, content, sealed_length));
        }
        Ok(Some(Record { kind, length, fits }))
    }

    /// Hands out what did not fit before.
    fn read_rest(&mut self, buf: &mut [u8]) -> usize {
        let count = buf.len().min(self.rest.len() - self.rest_read);
        buf[..count].copy_from_slice(&self.rest[self.rest_read..self.rest_read + count]);
        self.rest_read += count;
        if self.rest_read == self.rest.len() {
            self.rest = Vec::new();
            self.rest_read = 0;
        }
        count
    }

    fn hear_alert(&mut self, alert: &[u8]) -> Result<()> {
        match *alert {
            [_, CLOSE_NOTIFY] => self.ended = true,
            [_, USER_CANCELED] => {
                self.warnings += 1;
                if self.warnings >= MAX_WARNINGS {
                    return Err(self.refuse(UNEXPECTED_MESSAGE, R_TOO_MANY_WARN_ALERTS));
                }
            }
            [_, alert] => {
                self.closed = true;
                let reason = R_ALERT_OFFSET + c_int::from(alert);
                return Err(self.fail(failure::raise(reason, &format!("SSL alert number {alert}"))));
            }
            _ => return Err(self.refuse(UNEXPECTED_MESSAGE, R_INVALID_ALERT)),
        }
        Ok(())
    }

    /// The only message that may still come is KeyUpdate.
    fn hear_message(&mut self, part: &[u8]) -> Result<()> {
        self.message.extend_from_slice(part.get(..KEY_UPDATE_LENGTH + 1).unwrap_or(part));
        let &[kind, high, middle, low, ref body @ ..] = &self.message[..] else { return Ok(()) };
        let length = u32::from_be_bytes([0, high, middle, low]);
        if kind != KEY_UPDATE {
            return Err(self.refuse(UNEXPECTED_MESSAGE, R_UNEXPECTED_MESSAGE));
        }
        let answer = match (length, body) {
            (2.., _) => return Err(self.refuse(ILLEGAL_PARAMETER, R_EXCESSIVE_MESSAGE_SIZE)),
            (0, []) => return Err(self.refuse(DECODE_ERROR, R_BAD_KEY_UPDATE)),
            (1, []) => return Ok(()),
            (1, [0]) => false,
            (1, [1]) => true,
            (1, [_]) => return Err(self.refuse(ILLEGAL_PARAMETER, R_BAD_KEY_UPDATE)),
            // The keys change behind it: nothing may follow in its record.
            _ => return Err(self.refuse(UNEXPECTED_MESSAGE, R_NOT_ON_RECORD_BOUNDARY)),
        };
        self.message = Vec::new();
        self.key_updates += 1;
        if self.key_updates > MAX_KEY_UPDATES {
            return Err(self.refuse(UNEXPECTED_MESSAGE, R_TOO_MANY_KEY_UPDATES));
        }
        self.read.next_generation().map_err(|error| self.fail(error))?;
        self.update_owed |= answer;
        // One answer does for all that was asked until it leaves (RFC 8446, 4.6.3): a peer that asks and never reads does
        // not make the output grow.
        if self.update_owed && !self.closed && self.bytes.output.is_empty() {
            self.update_key()?;
        }
        Ok(())
    }

    /// Says that our key changes, and changes it.
    fn update_key(&mut self) -> Result<()> {
        self.update_owed = false;
        self.seal(HANDSHAKE, &[KEY_UPDATE, 0, 0, 1, 0])?;
        self.write.next_generation().map_err(|error| self.fail(error))
    }

    /// Appends a record to the output. A failure is final: the peer could open nothing behind the gap.
    fn seal(&mut self, kind: u8, clear: &[u8]) -> Result<()> {
        self.put(kind, clear).map_err(|error| self.fail(error))
    }

    fn put(&mut self, kind: u8, clear: &[u8]) -> Result<()> {
        let from = self.bytes.output.len();
        self.write.seal(kind, clear, &mut self.bytes.output)?;
        if let Some(traced) = &mut self.traced {
            traced.push_back(trace::record(true, kind, clear, self.bytes.output.len() - from - HEADER));
        }
        Ok(())
    }

    /// A record that is not data, or has none. Its content is in `buf` or in the rest.
    fn hear(&mut self, record: Record, buf: &[u8]) -> Result<()> {
        let rest = std::mem::take(&mut self.rest);
        let content = if record.fits { &buf[..record.length] } else { &rest[..] };
        if !content.is_empty() {
            self.empty_records = 0;
        }
        match record.kind {
            HANDSHAKE | ALERT if content.is_empty() => Err(self.refuse(UNEXPECTED_MESSAGE, R_BAD_LENGTH)),
            HANDSHAKE => {
                self.warnings = 0;
                self.hear_message(content)
            }
            ALERT | APPLICATION_DATA if !self.message.is_empty() => {
                Err(self.refuse(UNEXPECTED_MESSAGE, R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA))
            }
            ALERT => self.hear_alert(content),
            APPLICATION_DATA => {
                self.empty_records += 1;
                match self.empty_records > MAX_EMPTY_RECORDS {
                    true => Err(self.refuse(UNEXPECTED_MESSAGE, R_RECORD_TOO_SMALL)),
                    false => Ok(()),
                }
            }
            _ => Err(self.refuse(UNEXPECTED_MESSAGE, R_BAD_RECORD_TYPE)),
        }
    }
}

struct Record {
    kind: u8,
    /// Of the content.
    length: usize,
    /// Whether it is in the reader's buffer.
    fits: bool,
}

impl TlsSession for Established {
    fn feed(&mut self, ciphertext: &[u8]) {
        self.bytes.feed(ciphertext);
    }

    fn input(&mut self) -> Option<&mut Vec<u8>> {
        Some(self.bytes.input())
    }

    fn handshake(&mut self, _: Instant) -> Result<Handshake> {
        self.begin().map(|()| Handshake::Done)
    }

    fn read(&mut self, buf: &mut [u8], _: &dyn Fn() -> Instant) -> Result<Read> {
        self.begin()?;
        if buf.is_empty() {
            return Ok(Read::Pending);
        }
        loop {
            if !self.rest.is_empty() {
                return Ok(Read::Data(self.read_rest(buf)));
            }
            if self.ended {
                return Ok(Read::Closed);
            }
            let Some(record) = self.open_record(buf)? else { return Ok(Read::Pending) };
            if record.kind != APPLICATION_DATA || record.length == 0 || !self.message.is_empty() {
                self.hear(record, buf)?;
                continue;
            }
            self.empty_records = 0;
            self.key_updates = 0;
            self.warnings = 0;
            if record.fits {
                return Ok(Read::Data(record.length));
            }
        }
    }

    fn write(&mut self, clear: &[u8]) -> Result<usize> {
        self.begin()?;
        if clear.is_empty() {
            return Ok(0);
        }
        if self.closed {
            return Err(self.fail(failure::raise(R_PROTOCOL_IS_SHUTDOWN, "")));
        }
        let records = clear.len() / self.max_fragment + 1;
        self.bytes.reserve(clear.len() + records * (HEADER + 1 + protection::TAG));
        for part in clear.chunks(self.max_fragment) {
            if self.update_owed || self.write.sequence() >= KEY_LIFETIME {
                self.update_key()?;
            }
            self.seal(APPLICATION_DATA, part)?;
        }
        self.key_updates = 0;
        Ok(clear.len())
    }

    fn close_notify(&mut self) {
        if self.closed || self.failed.is_some() {
            return;
        }
        self.closed = true;
        // Without it the connection just closes.
        let _ = self.put(ALERT, &[WARNING, CLOSE_NOTIFY]);
    }

    fn output(&mut self) -> &mut Vec<u8> {
        &mut self.bytes.output
    }

    fn unread(&self) -> usize {
        self.bytes.unread()
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.traced.as_mut()?.pop_front().map(SessionEvent::Trace)
    }

    fn has_event(&self) -> bool {
        self.traced.as_ref().is_some_and(|traced| !traced.is_empty())
    }

    fn answer(&mut self, _: Answer) -> Result<()> {
        Err(super::not_parked())
    }

    fn release_buffers(&mut self) {
        self.bytes.release();
    }

    fn role(&self) -> Role {
        Role::Server
    }

    fn protocol(&self) -> &str {
        "TLSv1.3"
    }

    fn cipher(&self) -> Option<Cipher> {
        self.facts.cipher.describe()
    }

    fn alpn(&self) -> Option<Vec<u8>> {
        self.facts.alpn.as_deref().map(<[u8]>::to_vec)
    }

    fn servername(&self) -> Option<String> {
        self.facts.servername.clone()
    }

    fn session_reused(&self) -> bool {
        self.facts.reused
    }

    fn peer_chain(&self) -> Vec<Vec<u8>> {
        self.facts.peer.as_ref().map_or_else(Vec::new, |chain| chain.to_der())
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        self.facts.certificate.as_ref()?.to_der().ok()
    }

    fn verify_error(&self) -> Option<Error> {
        self.facts.verify_error.clone()
    }

    fn session(&self) -> Option<Vec<u8>> {
        info::stored_session(self.facts.session.as_ref()?)
    }

    fn session_ticket(&self) -> Option<Vec<u8>> {
        info::session_ticket(self.facts.session.as_ref()?)
    }

    fn finished(&self) -> Option<Vec<u8>> {
        self.facts.finished.as_deref().map(<[u8]>::to_vec)
    }

    fn peer_finished(&self) -> Option<Vec<u8>> {
        self.facts.peer_finished.as_deref().map(<[u8]>::to_vec)
    }

    fn export_keying_material(&self, length: usize, label: &str, context: Option<&[u8]>) -> Result<Vec<u8>> {
        let Facts { suite, exporter, .. } = &*self.facts;
        exporter.export(suite.hash, label.as_bytes(), context.unwrap_or_default(), length)
    }

    fn ephemeral_key(&self) -> Option<EphemeralKey> {
        None
    }

    fn key_exchange(&self) -> Option<KeyExchange> {
        self.facts.key_exchange.clone()
    }

    fn shared_sigalgs(&self) -> Vec<String> {
        self.facts.sigalgs.iter().map(|one| one.name()).collect()
    }

    /// There is no handshake to come.
    fn set_verify(&mut self, _: Verify) -> Result<()> {
        Ok(())
    }

    fn renegotiate(&mut self) -> Result<()> {
        self.begin()?;
        Err(failure::raise(R_WRONG_SSL_VERSION, ""))
    }

    fn disable_renegotiation(&mut self) {}

    fn set_max_send_fragment(&mut self, bytes: usize) -> bool {
        let good = (MIN_FRAGMENT..=MAX_CLEAR).contains(&bytes);
        if good {
            self.max_fragment = bytes;
        }
        good
    }

    /// Nothing to show it in, but it counts as ours from now on.
    fn set_key_cert(&mut self, context: &Context) -> Result<()> {
        self.facts.certificate = context.identities().last().map(|identity| identity.certificate.clone());
        Ok(())
    }

    /// Nothing but a trace can still come of what may be asked for.
    fn enable_hooks(&mut self, hooks: Hooks) {
        if hooks.trace {
            self.traced.get_or_insert_default();
        }
    }
}
