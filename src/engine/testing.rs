//! Helpers of the engine's tests: certificates made at test time, and two sessions that talk in memory.

use std::time::{Duration, Instant};

use foreign_types_shared::ForeignType;
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
use crate::engine::{Context, Handshake, Read, Renegotiation, Role, SessionConfig, SessionEvent, TlsSession};
use crate::error::{Error, Result};

pub const TLS1_2: u16 = 0x0303;
pub const TLS1_3: u16 = 0x0304;

pub enum Kind {
    Ec,
    Rsa,
    Ed25519,
}

/// A certificate and its key.
pub struct Id {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Id {
    /// Signed by `issuer`, or by itself and an authority then. Valid from a month ago to `days` from now.
    pub fn new(name: &str, kind: Kind, issuer: Option<&Id>, days: i64) -> Id {
        Id::make(name, kind, issuer, days, issuer.is_none())
    }

    pub fn intermediate(name: &str, issuer: &Id) -> Id {
        Id::make(name, Kind::Ec, Some(issuer), 30, true)
    }

    fn make(name: &str, kind: Kind, issuer: Option<&Id>, days: i64, authority: bool) -> Id {
        start_openssl();
        let key = match kind {
            Kind::Ec => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
            }
            Kind::Rsa => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            Kind::Ed25519 => PKey::generate_ed25519().unwrap(),
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
        if authority {
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
        renegotiation: Renegotiation { limit: 3, window: Duration::from_secs(600), disabled: false, ask: false },
        ..SessionConfig::new(role)
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
    /// Whether it may go over to its lighter form, and whether it has.
    pub settles: bool,
    pub settled: bool,
}

impl Peer {
    pub fn new(context: &Context, config: SessionConfig) -> Peer {
        Peer::of(context.session(config).unwrap())
    }

    pub fn of(session: Box<dyn TlsSession>) -> Peer {
        Peer {
            session,
            events: Vec::new(),
            state: Handshake::Pending,
            error: None,
            clear: Vec::new(),
            closed: false,
            sent: Vec::new(),
            now: Instant::now(),
            settles: true,
            settled: false,
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
        self.hear();
        let output = std::mem::take(self.session.output());
        self.sent.extend_from_slice(&output);
        output
    }

    fn hear(&mut self) {
        while let Some(event) = self.session.poll_event() {
            self.events.push(event);
        }
    }

    /// Lets the session go over to its lighter form, if it can.
    pub fn settle(&mut self) {
        if let Some(settled) = self.session.settle() {
            self.session = settled;
            self.settled = true;
        }
    }

    fn run(&mut self) -> Result<()> {
        if self.state != Handshake::Done {
            self.state = self.session.handshake(self.now)?;
            self.hear();
        }
        if self.settles && self.state == Handshake::Done {
            self.settle();
        }
        let mut buf = [0; 20_000];
        while self.state == Handshake::Done && !self.closed {
            match self.session.read(&mut buf, &|| self.now)? {
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
    talk_in_pieces(a, b, usize::MAX);
}

/// The same, `piece` bytes at a time.
pub fn talk_in_pieces(a: &mut Peer, b: &mut Peer, piece: usize) {
    carry(a, b, |bytes| bytes.chunks(piece.min(bytes.len().max(1))).map(<[u8]>::to_vec).collect());
}

/// The same, every flight in two parts where it is longer than `at`. Gives the longest flight's length.
pub fn talk_split_at(a: &mut Peer, b: &mut Peer, at: usize) -> usize {
    let mut longest = 0;
    carry(a, b, |bytes| {
        longest = longest.max(bytes.len());
        let (head, tail) = bytes.split_at(at.min(bytes.len()));
        vec![head.to_vec(), tail.to_vec()]
    });
    longest
}

fn carry(a: &mut Peer, b: &mut Peer, mut split: impl FnMut(&[u8]) -> Vec<Vec<u8>>) {
    let mut to_b = a.step(&[]);
    loop {
        let to_a: Vec<u8> = deliver(b, &split(&to_b));
        to_b = deliver(a, &split(&to_a));
        if to_a.is_empty() && to_b.is_empty() {
            return;
        }
    }
}

fn deliver(peer: &mut Peer, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut answer = peer.step(&[]);
    for part in parts {
        answer.extend(peer.step(part));
    }
    answer
}

/// A PKCS#12 file with RC2-40 for the certificate and 3DES for the key; `None` without OpenSSL's legacy provider.
pub fn legacy_pkcs12(id: &Id, password: &str) -> Option<Vec<u8>> {
    use openssl::lib_ctx::LibCtx;
    use openssl::provider::Provider;
    use std::ffi::{c_char, c_int, CString};

    extern "C" {
        fn PKCS12_create_ex(
            password: *const c_char,
            name: *const c_char,
            key: *mut openssl_sys::EVP_PKEY,
            certificate: *mut openssl_sys::X509,
            chain: *mut openssl_sys::stack_st_X509,
            key_nid: c_int,
            certificate_nid: c_int,
            rounds: c_int,
            mac_rounds: c_int,
            key_type: c_int,
            library: *mut openssl_sys::OSSL_LIB_CTX,
            properties: *const c_char,
        ) -> *mut openssl_sys::PKCS12;
    }

    let library = LibCtx::new().ok()?;
    let _default = Provider::load(Some(&library), "default").ok()?;
    let _legacy = Provider::load(Some(&library), "legacy").ok()?;
    let password = CString::new(password).ok()?;
    let null = std::ptr::null;
    // SAFETY: live objects and C strings; the file is owned by its wrapper.
    unsafe {
        let file = PKCS12_create_ex(
            password.as_ptr(),
            null(),
            id.key.as_ptr(),
            id.certificate.as_ptr(),
            std::ptr::null_mut(),
            Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC.as_raw(),
            Nid::PBE_WITHSHA1AND40BITRC2_CBC.as_raw(),
            2048,
            1,
            0,
            library.as_ptr(),
            null(),
        );
        (!file.is_null()).then(|| openssl::pkcs12::Pkcs12::from_ptr(file).to_der().ok())?
    }
}
