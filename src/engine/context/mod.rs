//! What sessions have in common: protocol versions, suites, certificates, trust, ticket keys.
//!
//! An `SSL_CTX` may be shared by threads only as long as nobody changes it: a running handshake reads its suites and
//! its list of authorities without a lock. So a context here is never changed once a session was made from it. A change
//! that comes later builds a new `SSL_CTX` from the settings so far; running sessions keep the old one. Ticket keys
//! stand outside, behind a lock of their own, and do change for all.

mod native;
mod roots;
mod settings;

use std::ffi::{c_int, CString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslContext;
use openssl::stack::Stack;
use openssl::x509::X509;

use crate::credentials::{self, LegacyPkcs12, Secret};
use crate::engine::session::Session;
use crate::engine::ticket::TicketKeys;
use crate::engine::{Compression, SessionConfig, TlsSession};
use crate::error::{Error, Result};

use native::{Method, Native};
use settings::Setting;

pub use native::{cipher_names, openssl_version};
pub(super) use native::{issued, issuer_in_store};
pub use roots::{has_root_store, set_root_store, RootStore};

/// Length of [`Context::ticket_keys`] in bytes: name 16, HMAC 16, AES 16.
pub const TICKET_KEYS_LENGTH: usize = 48;

/// Diffie-Hellman primes below this are refused, as Node does.
const MIN_DH_BITS: i32 = 1024;
/// Below this [`Context::set_dh_param`] warns.
const GOOD_DH_BITS: i32 = 2048;
const DH_WARNING: &str = "DH parameter is less than 2048 bits";

/// Node's SecureContext: a cheap clone, usable from every thread. Changes count for sessions made afterwards.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
}

struct Shared {
    inner: Mutex<Inner>,
    tickets: RwLock<TicketKeys>,
    /// The program gives the keys of each ticket itself.
    asks_ticket_keys: AtomicBool,
}

struct Inner {
    method: Method,
    native: Native,
    /// What makes `native` again, in order.
    settings: Vec<Setting>,
    /// A session was made from `native`: it must not change any more.
    used: bool,
    /// The certificates and keys in `native`; filled when first asked for.
    identities: Option<Arc<[Identity]>>,
    certificate: Option<X509>,
    issuer: Option<X509>,
}

/// A certificate with its key, and the chain to send with it.
pub(super) struct Identity {
    pub certificate: X509,
    pub key: PKey<Private>,
    pub chain: Option<Stack<X509>>,
    /// As the context's own sessions send it, where that is shorter.
    pub compressed: Vec<CompressedCertificate>,
}

/// A Certificate message with its chain, compressed (RFC 8879).
pub(super) struct CompressedCertificate {
    /// OpenSSL's number.
    pub algorithm: c_int,
    pub bytes: Vec<u8>,
    /// Length before, in bytes.
    pub original: usize,
}

impl Context {
    /// `method` is Node's `secureProtocol`; it wins over `min` and `max`, which are wire versions (0x0301 to 0x0304),
    /// 0 for any. Errors: `ERR_TLS_INVALID_PROTOCOL_METHOD`.
    pub fn new(method: Option<&str>, min: u16, max: u16) -> Result<Self> {
        credentials::start_openssl();
        let method = Method::parse(method, min, max)?;
        let inner = Inner {
            native: Native::new(&method)?,
            method,
            settings: Vec::new(),
            used: false,
            identities: None,
            certificate: None,
            issuer: None,
        };
        let tickets = RwLock::new(TicketKeys::random()?);
        let asks_ticket_keys = AtomicBool::new(false);
        Ok(Context { shared: Arc::new(Shared { inner: Mutex::new(inner), tickets, asks_ticket_keys }) })
    }

    /// A session that begins with its next call of [`TlsSession::handshake`].
    pub fn session(&self, config: SessionConfig) -> Result<Box<dyn TlsSession>> {
        Ok(Box::new(Session::new(self.clone(), config)?))
    }

    /// OpenSSL's list of suites up to TLS 1.2, with its operators and `@SECLEVEL`. Anonymous and NULL suites stay out:
    /// a list of nothing else is good, and leaves TLS 1.3 alone, as the empty list does.
    /// Errors: `ERR_SSL_NO_CIPHER_MATCH`, ...
    pub fn set_ciphers(&self, list: &str) -> Result<()> {
        self.change(Setting::Ciphers(text(list)?))
    }

    /// TLS 1.3 suites, separated by colons.
    pub fn set_cipher_suites(&self, list: &str) -> Result<()> {
        self.change(Setting::CipherSuites(text(list)?))
    }

    pub fn set_sigalgs(&self, list: &str) -> Result<()> {
        self.change(Setting::SignatureAlgorithms(text(list)?))
    }

    /// Groups in order of preference, separated by colons; `auto` keeps OpenSSL's own list, X25519MLKEM768 first.
    /// Errors: `ERR_CRYPTO_OPERATION_FAILED`.
    pub fn set_ecdh_curve(&self, list: &str) -> Result<()> {
        match list {
            "auto" => Ok(()),
            list => self.change(Setting::Groups(text(list)?)),
        }
    }

    /// OpenSSL chooses Diffie-Hellman parameters that fit the certificate.
    pub fn set_dh_auto(&self) -> Result<()> {
        self.change(Setting::DhAuto)
    }

    /// PEM parameters; unreadable ones count for none, as in Node. Gives a warning for less than 2048 bits; less than
    /// 1024 is `ERR_INVALID_ARG_VALUE`.
    pub fn set_dh_param(&self, pem: &[u8]) -> Result<Option<&'static str>> {
        let Some(dh) = credentials::dh_parameters(pem)? else { return Ok(None) };
        let bits = dh.prime_p().num_bits();
        if bits < MIN_DH_BITS {
            return Err(Error::new("ERR_INVALID_ARG_VALUE", "DH parameter is less than 1024 bits"));
        }
        self.change(Setting::DhParameters(dh))?;
        Ok((bits < GOOD_DH_BITS).then_some(DH_WARNING))
    }

    /// Adds `SSL_OP_...` bits.
    pub fn set_options(&self, options: u64) -> Result<()> {
        self.change(Setting::Options(options))
    }

    /// Wire version; 0 for any.
    pub fn min_proto(&self) -> u16 {
        self.lock().native.min_proto()
    }

    /// Wire version; 0 for any.
    pub fn max_proto(&self) -> u16 {
        self.lock().native.max_proto()
    }

    pub fn set_min_proto(&self, version: u16) -> Result<()> {
        self.change(Setting::MinProto(version))
    }

    pub fn set_max_proto(&self, version: u16) -> Result<()> {
        self.change(Setting::MaxProto(version))
    }

    /// Trusts every certificate in `pem`; a server names them to its clients. What is no certificate is passed over.
    pub fn add_ca_cert(&self, pem: &[u8]) -> Result<()> {
        for certificate in credentials::ca_certificates(pem)? {
            self.change(Setting::Authority(certificate))?;
        }
        Ok(())
    }

    /// Trusts the process's root store ([`set_root_store`]) in place of what was trusted so far.
    pub fn add_root_certs(&self) -> Result<()> {
        let roots = roots::root_store()
            .ok_or_else(|| Error::new("ERR_C4TLS_NO_ROOT_STORE", "The root certificates have not been set"))?;
        self.change(Setting::Roots(roots))
    }

    /// Trusts `roots` in place of what was trusted so far.
    pub fn use_roots(&self, roots: &RootStore) -> Result<()> {
        self.change(Setting::Roots(roots.0.clone()))
    }

    /// Trusts the certificates in a directory, PEM each, in files named by the hash of the subject (`9d66eef0.0`).
    pub fn add_ca_directory(&self, path: &str) -> Result<()> {
        self.change(Setting::AuthorityDirectory(text(path)?))
    }

    /// Sends the certificates in `pem` too, behind the chain of the certificate set last.
    pub fn add_chain(&self, pem: &[u8]) -> Result<()> {
        for certificate in credentials::certificates(pem)? {
            self.change(Setting::ChainCertificate(certificate))?;
        }
        Ok(())
    }

    /// No session can be resumed.
    pub fn disable_sessions(&self) -> Result<()> {
        self.change(Setting::NoSessions)
    }

    /// Offers to take compressed certificates (RFC 8879), and sends them to a peer that does, in this order of
    /// preference. Errors: `ERR_CRYPTO_OPERATION_FAILED` for a list without any that OpenSSL has, or with one twice.
    pub fn set_certificate_compression(&self, algorithms: &[Compression]) -> Result<()> {
        self.change(Setting::CertificateCompression(algorithms.iter().map(|a| *a as c_int).collect()))
    }

    /// Checks revocation of every certificate in a chain from now on.
    pub fn add_crl(&self, pem: &[u8]) -> Result<()> {
        let crl = credentials::revocation_list(pem)?
            .ok_or_else(|| Error::new("ERR_CRYPTO_OPERATION_FAILED", "Failed to parse CRL"))?;
        self.change(Setting::RevocationList(crl))
    }

    /// Lets a chain end at any trusted certificate, self-signed or not.
    pub fn set_allow_partial_trust_chain(&self) -> Result<()> {
        self.change(Setting::PartialChain)
    }

    /// The certificate to show and the ones to send with it, PEM. One certificate of each key type is kept.
    pub fn set_cert(&self, pem: &[u8]) -> Result<()> {
        let (certificate, chain) = credentials::certificate_chain(pem)?;
        self.use_certificate(certificate, chain)
    }

    /// The key of a certificate set before, PEM. Errors: `ERR_OSSL_X509_KEY_VALUES_MISMATCH`, `ERR_OSSL_BAD_DECRYPT`
    /// (wrong passphrase), `ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED` (none given), ...
    pub fn set_key(&self, pem: &[u8], passphrase: Option<&Secret>) -> Result<()> {
        self.change(Setting::Key(credentials::private_key(pem, passphrase)?))
    }

    /// Certificate, key and authorities of a PKCS#12 file. The other certificates in it are trusted, as in Node.
    pub fn load_pkcs12(&self, der: &[u8], passphrase: Option<&Secret>, legacy: LegacyPkcs12) -> Result<()> {
        self.use_identity(&credentials::read_pkcs12(der, passphrase, legacy)?)
    }

    /// Shows `identity` to peers, its chain too. Whom to trust is another matter.
    pub fn show_identity(&self, identity: &credentials::Identity) -> Result<()> {
        self.use_certificate(identity.certificate.clone(), identity.chain.clone())?;
        self.change(Setting::Key(identity.key.clone()))
    }

    /// Shows `identity` to peers. The certificates of its chain are trusted.
    pub fn use_identity(&self, identity: &credentials::Identity) -> Result<()> {
        self.show_identity(identity)?;
        for certificate in &identity.chain {
            self.change(Setting::Authority(certificate.clone()))?;
        }
        Ok(())
    }

    /// At most 32 bytes: sessions are resumed only under the name they were made under.
    pub fn set_session_id_context(&self, name: &str) -> Result<()> {
        self.change(Setting::SessionIdContext(name.as_bytes().to_vec()))
    }

    /// How long a session can be resumed.
    pub fn set_session_timeout(&self, seconds: u32) -> Result<()> {
        self.change(Setting::SessionTimeout(seconds))
    }

    pub fn ticket_keys(&self) -> [u8; TICKET_KEYS_LENGTH] {
        self.tickets(TicketKeys::to_bytes)
    }

    /// Counts from now on, for running sessions too. Errors: `ERR_INVALID_ARG_VALUE` for another length than
    /// [`TICKET_KEYS_LENGTH`].
    pub fn set_ticket_keys(&self, keys: &[u8]) -> Result<()> {
        let keys = TicketKeys::from_bytes(keys)?;
        *self.shared.tickets.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Handshakes of servers park from now on with [`Question::TicketKeys`](crate::engine::Question::TicketKeys), and
    /// [`ticket_keys`](Self::ticket_keys) are out of use.
    pub fn ask_ticket_keys(&self) {
        self.shared.asks_ticket_keys.store(true, Ordering::Release);
    }

    pub(super) fn asks_ticket_keys(&self) -> bool {
        self.shared.asks_ticket_keys.load(Ordering::Acquire)
    }

    /// DER of the certificate set last.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        self.lock().certificate.as_ref().and_then(|x| x.to_der().ok())
    }

    /// DER of its issuer, where that came with it or is trusted.
    pub fn issuer(&self) -> Option<Vec<u8>> {
        self.lock().issuer.as_ref().and_then(|x| x.to_der().ok())
    }

    pub(super) fn tickets<T>(&self, read: impl FnOnce(&TicketKeys) -> T) -> T {
        read(&self.shared.tickets.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A new `SSL`, whose owner frees it. Made under the lock: [`identities`](Self::identities) moves a cursor in the
    /// structure that OpenSSL copies here.
    pub(super) fn new_ssl(&self) -> Result<*mut openssl_sys::SSL> {
        let mut inner = self.lock();
        inner.freeze();
        inner.native.new_ssl()
    }

    /// The `SSL_CTX` as it is now; it will not change any more.
    pub(super) fn frozen(&self) -> SslContext {
        let mut inner = self.lock();
        inner.freeze();
        inner.native.context().to_owned()
    }

    pub(super) fn identities(&self) -> Arc<[Identity]> {
        let mut inner = self.lock();
        if let Some(identities) = &inner.identities {
            return identities.clone();
        }
        let algorithms = inner.compressions();
        let identities: Arc<[Identity]> = inner.native.identities(&algorithms).into();
        inner.identities = Some(identities.clone());
        identities
    }

    fn use_certificate(&self, certificate: X509, chain: Vec<X509>) -> Result<()> {
        let issuer_in_chain = chain.iter().find(|ca| native::issued(ca, &certificate)).cloned();
        self.change(Setting::Certificate(certificate.clone(), chain))?;
        let mut inner = self.lock();
        inner.issuer = issuer_in_chain.or_else(|| native::issuer_in_store(inner.native.context(), &certificate));
        inner.certificate = Some(certificate);
        Ok(())
    }

    fn change(&self, setting: Setting) -> Result<()> {
        let _ = ErrorStack::get();
        self.lock().change(setting)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half way through a change; a poisoned lock has a whole value behind it.
        self.shared.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// The native context will not change any more.
    fn freeze(&mut self) {
        let first = !std::mem::replace(&mut self.used, true);
        if first && !self.compressions().is_empty() {
            self.native.compress_certificates();
        }
    }

    /// OpenSSL's numbers of the algorithms set for certificates.
    fn compressions(&self) -> Vec<c_int> {
        let set = self.settings.iter().find_map(|setting| match setting {
            Setting::CertificateCompression(algorithms) => Some(algorithms),
            _ => None,
        });
        set.cloned().unwrap_or_default()
    }

    fn change(&mut self, setting: Setting) -> Result<()> {
        if self.used {
            let mut fresh = Native::new(&self.method)?;
            for setting in &self.settings {
                setting.apply(&mut fresh)?;
            }
            self.native = fresh;
            self.used = false;
        }
        self.identities = None;
        setting.apply(&mut self.native)?;
        settings::remember(&mut self.settings, setting);
        Ok(())
    }
}

fn text(value: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(value).map_err(|_| Error::new("ERR_INVALID_ARG_VALUE", "The value must not contain null bytes"))
}

/// Sessions on several threads share contexts.
const _: fn() = || {
    fn shared_by_threads<T: Send + Sync>() {}
    shared_by_threads::<Context>();
};
