//! TLS over bytes.
//!
//! A [`TlsSession`] takes ciphertext and gives ciphertext, takes clear text and gives clear text. It knows no socket, no
//! clock and no JavaScript: time is passed in, and whoever drives it moves the bytes. Two providers stand behind the
//! trait: OpenSSL ([`Context::session`]) with every feature, and the operating system's stack ([`platform`]).

mod apply;
mod bio;
mod callbacks;
mod clear;
mod compression;
mod context;
mod failure;
mod ffi;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod hello;
mod info;
mod own_tickets;
mod peek;
pub mod platform;
mod provider;
mod psk;
mod record;
mod session;
mod sni;
mod state;
#[cfg(any(test, fuzzing))]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod ticket;
mod trace;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

pub use clear::clear_session;
pub use compression::Compression;
pub use context::{
    cipher_names, has_root_store, openssl_version, set_root_store, Context, RootStore, TICKET_KEYS_LENGTH,
};
pub use own_tickets::{TicketAnswer, TicketHead, TicketKey};
pub use provider::Provider;
pub use psk::SharedKey;
pub use sni::SniTable;

/// Which side of the handshake a session plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// What a server wants of the client's certificate; what a client wants of the server's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verify {
    /// Server: send a CertificateRequest. Clients always get a certificate.
    pub request: bool,
    /// Server: a missing or unacceptable certificate ends the handshake with its alert. A client's session never
    /// refuses by itself: its owner looks at [`TlsSession::verify_error`] when the handshake is done.
    pub require: bool,
    /// With `require`: only an unacceptable certificate ends the handshake, a missing one is no fault.
    pub optional: bool,
}

/// Questions and notices that the owner asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hooks {
    /// Server: park at the ClientHello with [`Question::ClientHello`].
    pub client_hello: bool,
    /// Server: park before the certificate is chosen with [`Question::Certificate`].
    pub certificate: bool,
    /// Use pre-shared keys, and park for each with [`Question::PskIdentities`] or [`Question::PskHint`]. Fixed before
    /// the session's first byte.
    pub psk: bool,
    /// Give [`SessionEvent::Keylog`] lines.
    pub keylog: bool,
    /// Give [`SessionEvent::NewSession`].
    pub sessions: bool,
    /// Give [`SessionEvent::Trace`] texts.
    pub trace: bool,
    /// Give [`SessionEvent::Trace`] texts of records alone.
    pub records: bool,
    /// Server: [`Question::Certificate`] tells what the client offers.
    pub offer: bool,
    /// Server: park with [`Question::ClientCertificate`] when the handshake is done but for the owner's consent.
    pub client_certificate: bool,
}

impl Hooks {
    /// Both together.
    pub fn with(self, other: Hooks) -> Hooks {
        Hooks {
            client_hello: self.client_hello || other.client_hello,
            certificate: self.certificate || other.certificate,
            psk: self.psk || other.psk,
            keylog: self.keylog || other.keylog,
            sessions: self.sessions || other.sessions,
            trace: self.trace || other.trace,
            records: self.records || other.records,
            offer: self.offer || other.offer,
            client_certificate: self.client_certificate || other.client_certificate,
        }
    }
}

/// How many handshakes a client may start on one connection after the first (TLS 1.2 and below).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Renegotiation {
    /// More than this many within `window` is `ERR_TLS_SESSION_ATTACK`.
    pub limit: u32,
    pub window: Duration,
    /// `ERR_TLS_RENEGOTIATION_DISABLED` at once.
    pub disabled: bool,
    /// Park before each with [`Question::Renegotiation`]: the owner may have to see what came before it, since it may
    /// then forbid it.
    pub ask: bool,
}

/// Faults of a peer's certificate that do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forgive {
    /// It is not valid yet, or not any more.
    pub time: bool,
    /// Nobody trusted has signed it.
    pub authority: bool,
    /// It is meant for something else.
    pub usage: bool,
}

/// Everything that is fixed before a session's first byte.
#[derive(Clone)]
pub struct SessionConfig {
    pub role: Role,
    pub verify: Verify,
    pub forgive: Forgive,
    /// Protocols in wire form (RFC 7301: one length byte before each name). Empty: no ALPN.
    pub alpn: Vec<u8>,
    /// Client: the server_name extension.
    pub servername: Option<String>,
    /// Client: a session to resume, DER.
    pub session: Option<Vec<u8>>,
    /// Client: ask for a stapled OCSP response.
    pub request_ocsp: bool,
    pub hooks: Hooks,
    /// Server: what clients of TLS 1.2 are told before they choose a pre-shared key, 256 bytes at most.
    pub psk_identity_hint: Option<String>,
    /// Server: contexts by name, asked before the context's own certificate.
    pub sni: Option<Arc<SniTable>>,
    pub renegotiation: Renegotiation,
}

impl SessionConfig {
    /// Nothing is asked for.
    pub fn new(role: Role) -> Self {
        SessionConfig {
            role,
            verify: Verify::default(),
            forgive: Forgive::default(),
            alpn: Vec::new(),
            servername: None,
            session: None,
            request_ocsp: false,
            hooks: Hooks::default(),
            psk_identity_hint: None,
            sni: None,
            renegotiation: Renegotiation::default(),
        }
    }
}

/// Where a handshake stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    Done,
    /// Waits for bytes of the peer.
    Pending,
    /// Waits for [`TlsSession::answer`].
    Parked,
}

/// What a read found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// So many clear bytes, at least one.
    Data(usize),
    /// Nothing before more ciphertext comes (or the handshake is parked).
    Pending,
    /// The peer's close_notify.
    Closed,
}

/// What the owner must decide before the handshake goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    ClientHello {
        servername: Option<String>,
        /// The client's offer, in its order.
        alpn: Vec<Vec<u8>>,
        session_id: Vec<u8>,
        /// The client sent a session ticket (RFC 5077) that is not empty.
        ticket: bool,
        ocsp: bool,
    },
    Certificate {
        servername: Option<String>,
        ocsp: bool,
        /// With [`Hooks::offer`].
        offer: Option<Offer>,
    },
    /// Server: this is what the client showed, or that it showed nothing.
    ClientCertificate {
        present: bool,
        /// Why it is not acceptable.
        fault: Option<Error>,
    },
    /// Server: the client offers a key under any of these, in its order.
    PskIdentities { identities: Vec<String> },
    /// Client: the server's hint; `None` in TLS 1.3, and where it gives none. A client of both versions may be asked
    /// twice.
    PskHint { hint: Option<String> },
    /// The client begins another handshake.
    Renegotiation,
    /// Server, of a context whose program gives the keys of tickets ([`Context::ask_ticket_keys`]).
    TicketKeys {
        /// Those that the client shows, in its order.
        shown: Vec<TicketHead>,
        /// So many new ones follow where none is used.
        fresh: usize,
    },
}

/// What a client can do, as its ClientHello says, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// IANA's names; others as `0x0A0A`.
    pub suites: Vec<String>,
    /// RFC 8446's names; others as `0x0302`.
    pub signature_algorithms: Vec<String>,
}

/// The answer to a [`Question`] of the same name.
pub enum Answer {
    ClientHello {
        /// DER of the session to resume, from an external store.
        session: Option<Vec<u8>>,
        /// The protocol chosen: `None` leaves the choice to [`SessionConfig::alpn`], `Some(None)` refuses with
        /// no_application_protocol.
        alpn: Option<Option<Vec<u8>>>,
    },
    Certificate {
        context: Option<Context>,
        /// DER OCSPResponse to staple.
        ocsp: Option<Vec<u8>>,
    },
    /// False: the handshake ends with bad_certificate, `ERR_C4TLS_CLIENT_CERTIFICATE`.
    ClientCertificate(bool),
    /// To either question about pre-shared keys. A server's has one of the identities asked for. `None`: no such key;
    /// the handshake goes on without where it can.
    Psk(Option<SharedKey>),
    /// Go on, within the limits.
    Renegotiation,
    /// `None` ends the handshake with internal_error and `ERR_SSL_CALLBACK_FAILED`.
    TicketKeys(Option<TicketAnswer>),
}

/// Notices, in the order they came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    Question(Question),
    /// The first handshake is done, or a renegotiation is.
    HandshakeDone,
    /// One line in NSS key log format, ending in a line feed.
    Keylog(Vec<u8>),
    NewSession {
        id: Vec<u8>,
        session: Vec<u8>,
    },
    /// Client: the stapled response, or that there was none (only when it was asked for).
    OcspResponse(Option<Vec<u8>>),
    Trace(String),
}

/// The suite in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cipher {
    /// OpenSSL's name.
    pub name: String,
    /// IANA's name.
    pub standard_name: String,
    /// The lowest protocol version that has it.
    pub version: String,
    /// Of the key in use.
    pub bits: u32,
}

/// How the key was agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyExchange {
    /// OpenSSL's name of the group, or `DHE`, `RSA`, `PSK`.
    pub name: String,
    /// Of the group; `None` where it has no single size.
    pub bits: Option<u32>,
}

/// The key exchange of a client's session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EphemeralKey {
    /// `DH`, `ECDH`, or `TLSGroup` where a name is all there is to say.
    pub kind: String,
    /// Group name, for everything but DH.
    pub name: Option<String>,
    /// Of the peer's key, where there is one.
    pub bits: Option<u32>,
}

/// One TLS connection without a socket. See the module's text for the contract:
///
/// 1. give what the peer sent to [`feed`](Self::feed), or append it to [`input`](Self::input);
/// 2. call [`handshake`](Self::handshake) until it is `Done`, then [`read`](Self::read) until `Pending`;
/// 3. after any call, send what [`output`](Self::output) holds and take [`poll_event`](Self::poll_event) until `None`.
///
/// An `Err` is final for the session; `output` then still holds the alert that has to go out. What a provider cannot tell of
/// a connection has a default: nothing.
pub trait TlsSession: Send {
    /// Takes ciphertext from the peer. Kept until `handshake` or `read` uses it.
    fn feed(&mut self, ciphertext: &[u8]);
    /// Where it may be appended instead; `None`: it must be fed.
    fn input(&mut self) -> Option<&mut Vec<u8>> {
        None
    }
    /// Takes the handshake as far as it goes. `now` counts renegotiations.
    fn handshake(&mut self, now: Instant) -> Result<Handshake>;
    /// Decrypts into `buf`. Also runs a renegotiation, which `clock` is for, or a TLS 1.3 post-handshake message.
    fn read(&mut self, buf: &mut [u8], clock: &dyn Fn() -> Instant) -> Result<Read>;
    /// Encrypts `clear`; gives how many bytes it took: all of them, or 0 while a renegotiation is under way.
    fn write(&mut self, clear: &[u8]) -> Result<usize>;
    /// Puts a close_notify into `output`. Does nothing before the handshake is done, or when called again.
    fn close_notify(&mut self);
    /// Ciphertext for the peer. The owner takes bytes off; nobody else does.
    fn output(&mut self) -> &mut Vec<u8>;
    /// Bytes fed but not used yet.
    fn unread(&self) -> usize;
    fn poll_event(&mut self) -> Option<SessionEvent>;
    /// [`poll_event`](Self::poll_event) has something.
    fn has_event(&self) -> bool;
    /// Answers the question the session is parked at; the next `handshake` or `read` call goes on.
    fn answer(&mut self, answer: Answer) -> Result<()>;
    /// What was fed and not read yet has the length of an alert: most likely the peer's close_notify, for which settling
    /// does not pay.
    fn may_be_alert(&self) -> bool {
        false
    }

    /// Call before the first read: a session that has all it needs gives a lighter one, which goes on in its place with
    /// the bytes that were fed, the output and every answer. `None` where there is none, or not yet.
    fn settle(&mut self) -> Option<Box<dyn TlsSession>> {
        None
    }
    /// What goes over the wire is the clear text itself, so that whoever moves the bytes may leave the session out: with
    /// an empty [`output`](Self::output) it may send by itself, and what it reads need not be fed.
    fn passes_through(&self) -> bool {
        false
    }
    /// Gives buffers back that are empty now.
    fn release_buffers(&mut self) {}

    fn role(&self) -> Role;
    /// `TLSv1.3`, ...; before the handshake is done what is spoken so far.
    fn protocol(&self) -> &str;
    fn cipher(&self) -> Option<Cipher> {
        None
    }

    /// `None`: nothing negotiated.
    fn alpn(&self) -> Option<Vec<u8>> {
        None
    }

    fn servername(&self) -> Option<String> {
        None
    }

    fn session_reused(&self) -> bool {
        false
    }

    /// DER of the peer's leaf and what came with it, then issuers found in the store, up to a self-signed one.
    fn peer_chain(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    /// DER of our own certificate.
    fn certificate(&self) -> Option<Vec<u8>> {
        None
    }

    /// Why the peer's certificate is not acceptable; code and text are OpenSSL's (`CERT_HAS_EXPIRED`, ...).
    /// A missing certificate is `UNABLE_TO_GET_ISSUER_CERT` to a side that asked for one (PSK and resumption apart).
    fn verify_error(&self) -> Option<Error> {
        None
    }

    /// DER of the session, for a later `SessionConfig::session`.
    fn session(&self) -> Option<Vec<u8>> {
        None
    }

    fn session_ticket(&self) -> Option<Vec<u8>> {
        None
    }

    fn finished(&self) -> Option<Vec<u8>> {
        None
    }

    fn peer_finished(&self) -> Option<Vec<u8>> {
        None
    }

    fn export_keying_material(&self, length: usize, label: &str, context: Option<&[u8]>) -> Result<Vec<u8>>;
    /// Client only.
    fn ephemeral_key(&self) -> Option<EphemeralKey> {
        None
    }

    /// `None` where the provider does not say.
    fn key_exchange(&self) -> Option<KeyExchange> {
        None
    }

    /// `RSA-PSS+SHA256`, ...
    fn shared_sigalgs(&self) -> Vec<String> {
        Vec::new()
    }

    fn set_verify(&mut self, verify: Verify) -> Result<()>;
    fn renegotiate(&mut self) -> Result<()>;
    fn disable_renegotiation(&mut self);
    /// 512 to 16384 bytes; false where OpenSSL refuses.
    fn set_max_send_fragment(&mut self, bytes: usize) -> bool;
    /// Certificate and key of another context, for a handshake still to come.
    fn set_key_cert(&mut self, context: &Context) -> Result<()>;
    fn enable_hooks(&mut self, hooks: Hooks);
}

fn not_parked() -> Error {
    Error::new("ERR_C4TLS_NOT_PARKED", "The handshake does not wait for this answer")
}
