//! Helpers of the engine's tests: certificates made at test time, and two sessions that talk in memory.

use std::time::{Duration, Instant};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509Builder, X509NameBuilder, X509};

use crate::credentials::start_openssl;
use crate::engine::{
    Context, Handshake, Hooks, Read, Renegotiation, Role, SessionConfig, SessionEvent, TlsSession, Verify,
};
use crate::error::{Error, Result};

pub const TLS1_2: u16 = 0x0303;
pub const TLS1_3: u16 = 0x0304;

pub enum Kind {
    Ec,
    Rsa,
}

/// A certificate and its key.
pub struct Id {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Id {
    /// Signed by `issuer`, or by itself and an authority then. Valid from yesterday to `days` from now.
    pub fn new(name: &str, kind: Kind, issuer: Option<&Id>, days: i64) -> Id {
        start_openssl();
        let key = match kind {
            Kind::Ec => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
            }
            Kind::Rsa => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        };
        let mut b = X509Builder::new().unwrap();
        b.set_version(2).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial.rand(64, MsbOption::MAYBE_ZERO, false).unwrap();
        b.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        let mut subject = X509NameBuilder::new().unwrap();
        subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
        let subject = subject.build();
        b.set_subject_name(&subject).unwrap();
        b.set_issuer_name(issuer.map_or(&subject, |i| i.certificate.subject_name())).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64;
        b.set_not_before(&Asn1Time::from_unix(now - 86_400 * 30).unwrap()).unwrap();
        b.set_not_after(&Asn1Time::from_unix(now + 86_400 * days).unwrap()).unwrap();
        b.set_pubkey(&key).unwrap();
        if issuer.is_none() {
            b.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        }
        let alt = SubjectAlternativeName::new().dns(name).build(&b.x509v3_context(None, None)).unwrap();
        b.append_extension(alt).unwrap();
        b.sign(issuer.map_or(&key, |i| &i.key), MessageDigest::sha256()).unwrap();
        Id { certificate: b.build(), key }
    }

    pub fn authority(name: &str) -> Id {
        Id::new(name, Kind::Ec, None, 30)
    }

    pub fn cert_pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }

    pub fn der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }
}

/// A context with what every server has.
pub fn server_context(id: &Id) -> Context {
    let context = Context::new(None, 0, 0).unwrap();
    context.set_cert(&id.cert_pem()).unwrap();
    context.set_key(&id.key_pem(), None).unwrap();
    context.set_session_id_context("test").unwrap();
    context
}

pub fn client_context(ca: &Id, min: u16, max: u16) -> Context {
    let context = Context::new(None, min, max).unwrap();
    context.add_ca_cert(&ca.cert_pem()).unwrap();
    context
}

pub fn config(role: Role) -> SessionConfig {
    SessionConfig {
        role,
        verify: Verify::default(),
        alpn: Vec::new(),
        servername: None,
        session: None,
        request_ocsp: false,
        hooks: Hooks::default(),
        sni: None,
        renegotiation: Renegotiation { limit: 3, window: Duration::from_secs(600), disabled: false },
    }
}

/// A session, what it said, and what came of it.
pub struct Peer {
    pub session: Box<dyn TlsSession>,
    pub events: Vec<SessionEvent>,
    pub state: Handshake,
    pub error: Option<Error>,
    pub clear: Vec<u8>,
    pub closed: bool,
    /// Everything that went out.
    pub sent: Vec<u8>,
    pub now: Instant,
}

impl Peer {
    pub fn new(context: &Context, config: SessionConfig) -> Peer {
        Peer {
            session: context.session(config).unwrap(),
            events: Vec::new(),
            state: Handshake::Pending,
            error: None,
            clear: Vec::new(),
            closed: false,
            sent: Vec::new(),
            now: Instant::now(),
        }
    }

    /// Gives it `bytes` and lets it go as far as it can; gives what it has to say.
    pub fn step(&mut self, bytes: &[u8]) -> Vec<u8> {
        if !bytes.is_empty() {
            self.session.feed(bytes);
        }
        if self.error.is_none() {
            self.error = self.run().err();
        }
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
        let output = std::mem::take(self.session.output());
        self.sent.extend_from_slice(&output);
        output
    }

    fn run(&mut self) -> Result<()> {
        if self.state != Handshake::Done {
            self.state = self.session.handshake(self.now)?;
        }
        let mut buf = [0; 20_000];
        while self.state == Handshake::Done && !self.closed {
            match self.session.read(&mut buf, self.now)? {
                Read::Data(n) => self.clear.extend_from_slice(&buf[..n]),
                Read::Pending => break,
                Read::Closed => self.closed = true,
            }
        }
        Ok(())
    }

    pub fn code(&self) -> Option<&str> {
        self.error.as_ref().map(|e| &*e.code)
    }

    /// The description of the last alert that went out, if that was in clear (before the keys changed).
    pub fn alert(&self) -> Option<u8> {
        match self.sent.len().checked_sub(7).map(|at| &self.sent[at..]) {
            Some([21, 3, _, 0, 2, 2, alert]) => Some(*alert),
            _ => None,
        }
    }
}

/// Lets the two talk until neither has anything to say.
pub fn talk(a: &mut Peer, b: &mut Peer) {
    let mut to_b = a.step(&[]);
    loop {
        let to_a = b.step(&to_b);
        to_b = a.step(&to_a);
        if to_a.is_empty() && to_b.is_empty() {
            return;
        }
    }
}
