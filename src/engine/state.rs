//! What a session's callbacks work on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::c_int;
use std::sync::Arc;
use std::time::Instant;

use openssl::ssl::SslSession;
use openssl_sys::X509_V_OK;

use crate::engine::hello::ClientHello;
use crate::engine::own_tickets::OwnTickets;
use crate::engine::psk::Psk;
use crate::engine::record::Secrets;
use crate::engine::{
    Context, Forgive, Hooks, Offer, Question, Renegotiation, Role, SessionConfig, SessionEvent, SniTable, Verify,
};
use crate::error::Error;

/// A place where the handshake may park.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not reached yet.
    Ahead,
    /// Parked: the question was put and waits for its answer.
    Asked,
    Passed,
}

/// Empty buffers of this thread's sessions, for the next that needs one: an idle session holds none, and a message costs
/// no allocation.
struct Spare {
    buffers: Vec<Vec<u8>>,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { buffers: Vec::new() }) };
}

impl Spare {
    /// Of one thread, in count and in bytes each.
    const COUNT: usize = 8;
    const CAPACITY: usize = 128 * 1024;

    fn take() -> Vec<u8> {
        SPARE.with_borrow_mut(|spare| spare.buffers.pop()).unwrap_or_default()
    }

    /// `buffer` is empty.
    fn give(buffer: Vec<u8>) {
        if (1..=Self::CAPACITY).contains(&buffer.capacity()) {
            SPARE.with_borrow_mut(|spare| {
                if spare.buffers.len() < Self::COUNT {
                    spare.buffers.push(buffer);
                }
            });
        }
    }
}

/// Bytes on their way in and out.
#[derive(Default)]
pub(super) struct Bytes {
    input: Vec<u8>,
    /// How much of `input` is used up; never beyond its end.
    position: usize,
    /// Only so many of the waiting bytes may be taken.
    gate: Option<usize>,
    pub output: Vec<u8>,
}

impl Bytes {
    /// How many times as large as what waits a buffer may stay.
    const SLACK: usize = 2;

    pub(super) fn feed(&mut self, ciphertext: &[u8]) {
        self.input().extend_from_slice(ciphertext);
    }

    /// The bytes that wait; more may be appended.
    pub(super) fn input(&mut self) -> &mut Vec<u8> {
        if self.position > 0 {
            // Without this a peer that keeps one byte ahead of us would make the buffer grow for ever.
            self.input.drain(..self.position);
            self.position = 0;
        }
        if self.input.capacity() == self.input.len() {
            let waiting = std::mem::replace(&mut self.input, Spare::take());
            self.input.extend_from_slice(&waiting);
        }
        &mut self.input
    }

    /// Bytes fed and not used.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.input[self.position..]
    }

    /// The waiting bytes that may not be taken yet.
    pub(super) fn behind_gate(&self) -> &[u8] {
        self.waiting().get(self.gate.unwrap_or(0)..).unwrap_or_default()
    }

    /// Lets `more` of the bytes behind the gate be taken, and none that come later.
    pub(super) fn move_gate(&mut self, more: usize) {
        self.gate = Some(self.unread().min(self.gate.unwrap_or(0).saturating_add(more)));
    }

    /// Lets everything be taken from now on.
    pub(super) fn open_gate(&mut self) {
        self.gate = None;
    }

    /// The first `count` of the waiting bytes are used.
    pub(super) fn advance(&mut self, count: usize) {
        self.position = self.input.len().min(self.position + count);
        if self.position == self.input.len() {
            self.input.clear();
            self.position = 0;
        }
    }

    pub(super) fn unread(&self) -> usize {
        self.input.len() - self.position
    }

    /// Moves up to `into.len()` bytes; 0 when there are none.
    pub(super) fn take(&mut self, into: &mut [u8]) -> usize {
        let count = into.len().min(self.unread()).min(self.gate.unwrap_or(usize::MAX));
        into[..count].copy_from_slice(&self.waiting()[..count]);
        self.advance(count);
        if let Some(gate) = &mut self.gate {
            *gate -= count;
        }
        count
    }

    pub(super) fn release(&mut self) {
        if self.input.capacity() > Self::SLACK * self.unread() {
            let rest = self.waiting().to_vec();
            let mut buffer = std::mem::replace(&mut self.input, rest);
            self.position = 0;
            buffer.clear();
            Spare::give(buffer);
        }
        if self.output.is_empty() {
            Spare::give(std::mem::take(&mut self.output));
        }
    }

    /// Readies the output for `more` bytes.
    pub(super) fn reserve(&mut self, more: usize) {
        if self.output.capacity() == 0 {
            self.output = Spare::take();
        }
        self.output.reserve(more);
    }
}

/// Counts handshakes that a client starts after the first.
pub(super) struct RenegotiationCount {
    limits: Renegotiation,
    last: Option<Instant>,
    count: u32,
    /// Of the question before the one under way.
    stage: Stage,
}

impl RenegotiationCount {
    pub(super) fn new(limits: Renegotiation) -> Self {
        RenegotiationCount { limits, last: None, count: 0, stage: Stage::Ahead }
    }

    /// The question has its answer; false: there was none.
    pub(super) fn answer(&mut self) -> bool {
        let asked = self.stage == Stage::Asked;
        if asked {
            self.stage = Stage::Passed;
        }
        asked
    }

    /// A further handshake begins: may it?
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), Error> {
        let quiet = self.last.is_none_or(|last| now.saturating_duration_since(last) >= self.limits.window);
        self.count = if quiet { 1 } else { self.count.saturating_add(1) };
        self.last = Some(now);
        if self.count > self.limits.limit {
            return Err(Error::new("ERR_TLS_SESSION_ATTACK", "TLS session renegotiation attack detected"));
        }
        if self.limits.disabled {
            let message = "TLS session renegotiation disabled for this socket";
            return Err(Error::new("ERR_TLS_RENEGOTIATION_DISABLED", message));
        }
        Ok(())
    }

    /// The first handshake begins: the window opens.
    pub(super) fn first(&mut self, now: Instant) {
        self.last = Some(now);
    }

    pub(super) fn disable(&mut self) {
        self.limits.disabled = true;
    }
}

/// A session's own part beside OpenSSL's. It lives at a fixed address, which OpenSSL's `SSL` and the two BIOs know.
pub(super) struct State {
    pub bytes: Bytes,
    pub events: VecDeque<SessionEvent>,
    /// Keeps the ticket keys and the settings alive as long as the session.
    pub context: Context,
    pub role: Role,
    pub verify: Verify,
    pub forgive: Forgive,
    /// The last fault of the peer's certificate that counts; OpenSSL's number.
    fault: c_int,
    pub hooks: Hooks,
    /// Wire form.
    pub alpn: Vec<u8>,
    pub sni: Option<Arc<SniTable>>,
    /// Client: the name asked for. Server: the name in the ClientHello.
    pub servername: Option<String>,
    /// Server: the client wants a stapled response.
    pub wants_ocsp: bool,
    pub hello_stage: Stage,
    pub certificate_stage: Stage,
    /// To go on with this client.
    pub consent: Stage,
    /// Output that waits for the consent.
    pub withheld: Vec<u8>,
    /// What the client offers, for whoever chooses a certificate.
    pub offer: Option<Offer>,
    /// The answers, until OpenSSL comes for them.
    pub resume: Option<SslSession>,
    pub alpn_answer: Option<Option<Vec<u8>>>,
    pub certificate_answer: Option<Context>,
    pub ocsp_answer: Option<Vec<u8>>,
    /// Pre-shared keys, where the program has any; `None` again when they are done with.
    pub psk: Option<Box<Psk>>,
    /// Session tickets under the program's own keys, where it was asked for any.
    pub own_tickets: Option<Box<OwnTickets>>,
    pub renegotiations: RenegotiationCount,
    /// The time that the present call was given.
    pub now: Instant,
    /// The first handshake is done.
    pub established: bool,
    /// Of TLS 1.3, from the key log.
    pub secrets: Option<Box<Secrets>>,
    /// Server: the cause is the client's certificate.
    pub refused: bool,
    /// What a callback found wrong: it says more than OpenSSL's "callback failed".
    pub cause: Option<Error>,
}

impl State {
    pub(super) fn new(context: Context, config: SessionConfig, now: Instant) -> Self {
        State {
            bytes: Bytes::default(),
            events: VecDeque::new(),
            context,
            role: config.role,
            verify: config.verify,
            forgive: config.forgive,
            fault: X509_V_OK,
            // Nobody is asked about a server's certificate in this way.
            consent: match config.role == Role::Server && config.hooks.client_certificate {
                true => Stage::Ahead,
                false => Stage::Passed,
            },
            withheld: Vec::new(),
            offer: None,
            hooks: config.hooks,
            alpn: config.alpn,
            sni: config.sni,
            servername: config.servername,
            wants_ocsp: config.request_ocsp,
            hello_stage: Stage::Ahead,
            certificate_stage: Stage::Ahead,
            resume: None,
            alpn_answer: None,
            certificate_answer: None,
            ocsp_answer: None,
            psk: None,
            own_tickets: None,
            renegotiations: RenegotiationCount::new(config.renegotiation),
            now,
            established: false,
            secrets: None,
            refused: false,
            cause: None,
        }
    }

    /// The ClientHello is in. True: go on; false: parked.
    pub(super) fn client_hello(&mut self, hello: impl FnOnce() -> ClientHello) -> bool {
        if self.hello_stage == Stage::Ahead {
            self.renegotiations.first(self.now);
            let hello = hello();
            self.servername.clone_from(&hello.servername);
            self.wants_ocsp = hello.ocsp;
            if !self.hooks.client_hello {
                self.hello_stage = Stage::Passed;
                return true;
            }
            self.hello_stage = Stage::Asked;
            self.events.push_back(SessionEvent::Question(Question::ClientHello {
                servername: hello.servername,
                alpn: hello.alpn,
                session_id: hello.session_id,
                ticket: hello.ticket,
                ocsp: hello.ocsp,
            }));
        }
        self.hello_stage == Stage::Passed
    }

    /// The ClientHello of a further handshake is in. True: go on; false: parked.
    pub(super) fn renegotiation(&mut self) -> bool {
        let place = &mut self.renegotiations;
        if place.limits.ask && place.stage == Stage::Ahead {
            place.stage = Stage::Asked;
            self.events.push_back(SessionEvent::Question(Question::Renegotiation));
        }
        let parked = place.stage == Stage::Asked;
        if !parked {
            place.stage = Stage::Ahead;
        }
        !parked
    }

    /// A certificate is about to be chosen. True: go on; false: parked.
    pub(super) fn certificate(&mut self) -> bool {
        if self.certificate_stage == Stage::Ahead {
            if !self.hooks.certificate {
                self.certificate_stage = Stage::Passed;
                return true;
            }
            self.certificate_stage = Stage::Asked;
            self.events.push_back(SessionEvent::Question(Question::Certificate {
                servername: self.servername.clone(),
                ocsp: self.wants_ocsp,
                offer: self.offer.take(),
            }));
        }
        self.certificate_stage == Stage::Passed
    }

    /// What counts of a verification's faults so far, when `found` is another.
    pub(super) fn fault(&mut self, found: c_int) -> c_int {
        let Forgive { time, authority, usage } = self.forgive;
        let forgiven = match found {
            9 | 10 => time,
            2 | 18..=21 | 27 => authority,
            26 => usage,
            _ => false,
        };
        if !forgiven {
            self.fault = found;
        }
        self.fault
    }

    /// Server: the context whose certificates to show, where that is not the session's own.
    pub(super) fn chosen_context(&mut self) -> Option<Context> {
        if self.role == Role::Client {
            return None;
        }
        self.certificate_answer.take().or_else(|| self.sni.as_ref()?.find(self.servername.as_deref()?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::limits;

    #[test]
    fn bytes_come_out_as_they_went_in() {
        let mut bytes = Bytes::default();
        let mut out = Vec::new();
        let mut buf = [0; 3];
        for chunk in [&b"ab"[..], b"", b"cdefg", b"h"] {
            bytes.feed(chunk);
            let n = bytes.take(&mut buf);
            out.extend_from_slice(&buf[..n]);
        }
        assert_eq!((bytes.unread(), &out[..]), (0, &b"abcdefgh"[..]));
        assert_eq!(bytes.take(&mut buf), 0);
        bytes.release();
        assert_eq!(bytes.input.capacity(), 0);
    }

    #[test]
    fn a_gate_holds_back_what_is_behind_it() {
        let mut bytes = Bytes::default();
        let mut buf = [0; 8];
        bytes.feed(b"abcdef");
        bytes.move_gate(2);
        assert_eq!((bytes.take(&mut buf[..1]), bytes.take(&mut buf), bytes.take(&mut buf)), (1, 1, 0));
        assert_eq!((bytes.behind_gate(), bytes.unread()), (&b"cdef"[..], 4));
        bytes.move_gate(usize::MAX);
        bytes.feed(b"gh");
        assert_eq!(bytes.behind_gate(), b"gh");
        assert_eq!((bytes.take(&mut buf), bytes.take(&mut buf)), (4, 0));
        bytes.open_gate();
        assert_eq!((bytes.take(&mut buf), &buf[..2]), (2, &b"gh"[..]));
    }

    #[test]
    fn a_part_of_a_record_keeps_no_reading_buffer() {
        let mut bytes = Bytes::default();
        for part in [&b"abc"[..], b"de"] {
            bytes.input().reserve(limits::READ_CHUNK);
            bytes.input().extend_from_slice(part);
            bytes.release();
            assert!(bytes.input.capacity() <= 2 * bytes.unread(), "{}", bytes.input.capacity());
        }
        assert_eq!(bytes.take(&mut [0; 3]), 3);
        bytes.release();
        assert_eq!((bytes.waiting(), bytes.input.capacity()), (&b"de"[..], 2));
    }

    #[test]
    fn used_input_does_not_pile_up() {
        let mut bytes = Bytes::default();
        bytes.feed(b"xy");
        for _ in 0..10_000 {
            bytes.feed(b"z");
            assert_eq!(bytes.take(&mut [0]), 1);
        }
        assert!(bytes.input.capacity() < 64);
    }

    #[test]
    fn renegotiations_count_within_their_window() {
        let start = Instant::now();
        let limits = Renegotiation { limit: 2, window: Duration::from_secs(10), disabled: false, ask: false };
        let mut count = RenegotiationCount::new(limits);
        count.first(start);
        let at = |s| start + Duration::from_secs(s);
        assert!(count.begin(at(1)).is_ok());
        assert!(count.begin(at(2)).is_ok());
        assert!(count.begin(at(12)).is_ok());
        assert!(count.begin(at(13)).is_ok());
        assert_eq!(count.begin(at(14)).unwrap_err().code, "ERR_TLS_SESSION_ATTACK");
        count.disable();
        assert_eq!(count.begin(at(100)).unwrap_err().code, "ERR_TLS_RENEGOTIATION_DISABLED");
    }
}
