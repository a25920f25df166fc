//! A context as JavaScript's `createSecureContext` fills it. JavaScript has checked the types.

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::throw::{throw, OrThrow};
use crate::credentials::{self, LegacyPkcs12, Secret};
use crate::engine::platform::{unsupported, Identity, Platform, Versions};
use crate::engine::{self, Compression, Context, Provider};
use crate::error::{Error as CoreError, Result as CoreResult};

#[napi]
pub struct SecureContext {
    /// `None` after `close`, and for another provider than OpenSSL.
    inner: Option<Context>,
    /// What sessions are made of, after `close` too: those that began before go on.
    provider: Provider,
}

/// A certificate and its key for the operating system's TLS: PKCS#12, or PEM texts.
#[napi(object, object_to_js = false)]
pub struct PlatformOptions<'env> {
    pub pkcs12: Option<BufferSlice<'env>>,
    /// UTF-8; of the PKCS#12.
    pub password: Option<BufferSlice<'env>>,
    /// The chain, leaf first.
    pub certificate: Option<BufferSlice<'env>>,
    /// PKCS#8, not encrypted.
    pub private_key: Option<BufferSlice<'env>>,
    /// Wire versions; 0: the system's.
    pub min_version: Option<u32>,
    pub max_version: Option<u32>,
}

impl PlatformOptions<'_> {
    fn platform(&self) -> CoreResult<Platform> {
        let passphrase = std::str::from_utf8(self.password.as_deref().unwrap_or_default())
            .map_err(|_| CoreError::new("ERR_INVALID_ARG_VALUE", "The password is not UTF-8"))?;
        let identity = match (self.pkcs12.as_deref(), self.certificate.as_deref().zip(self.private_key.as_deref())) {
            (Some(der), None) => Identity::Pkcs12 { der, passphrase },
            (None, Some((chain, key))) => Identity::Pem { chain, key },
            _ => {
                let message = "A PKCS#12 is wanted, or a certificate and its private key";
                return Err(CoreError::new("ERR_INVALID_ARG_VALUE", message));
            }
        };
        let version = |wanted: Option<u32>| wanted.unwrap_or(0).min(u32::from(u16::MAX)) as u16;
        Platform::server(identity, Versions { min: version(self.min_version), max: version(self.max_version) })
    }
}

impl SecureContext {
    pub(super) fn provider(&self) -> Provider {
        self.provider.clone()
    }

    /// For what only OpenSSL has.
    pub(super) fn context(&self) -> CoreResult<Context> {
        match &self.provider {
            Provider::OpenSsl(context) => Ok(context.clone()),
            Provider::Platform(_) => Err(unsupported("a choice of certificates")),
        }
    }

    pub(super) fn open(&self, env: &Env) -> Result<&Context> {
        self.inner.as_ref().ok_or_else(|| {
            let error = match self.provider {
                Provider::Platform(_) => unsupported("this setting"),
                Provider::OpenSsl(_) => {
                    CoreError::new("ERR_TLS_INVALID_CONTEXT", "the secure context is closed; create another")
                }
            };
            throw(env, &error)
        })
    }
}

#[napi]
impl SecureContext {
    /// `method`: a secureProtocol name; `min` and `max`: wire versions, 0 for any.
    #[napi(constructor)]
    pub fn new(env: &Env, method: Option<String>, min: u32, max: u32) -> Result<Self> {
        let context = Context::new(method.as_deref(), min as u16, max as u16).or_throw(env)?;
        Ok(SecureContext { inner: Some(context.clone()), provider: context.into() })
    }

    /// A server's context of the operating system's TLS. What that cannot do is ERR_C4TLS_PROVIDER_UNSUPPORTED: every
    /// other setting here, and parameters of `configure` and `start`.
    #[napi(factory)]
    pub fn platform(env: &Env, options: PlatformOptions) -> Result<Self> {
        Ok(SecureContext { inner: None, provider: options.platform().or_throw(env)?.into() })
    }

    #[napi]
    pub fn set_ciphers(&self, env: &Env, list: String) -> Result<()> {
        self.open(env)?.set_ciphers(&list).or_throw(env)
    }

    #[napi]
    pub fn set_cipher_suites(&self, env: &Env, list: String) -> Result<()> {
        self.open(env)?.set_cipher_suites(&list).or_throw(env)
    }

    #[napi]
    pub fn set_sigalgs(&self, env: &Env, list: String) -> Result<()> {
        self.open(env)?.set_sigalgs(&list).or_throw(env)
    }

    /// `auto`: OpenSSL's default groups.
    #[napi]
    pub fn set_ecdh_curve(&self, env: &Env, list: String) -> Result<()> {
        self.open(env)?.set_ecdh_curve(&list).or_throw(env)
    }

    /// PEM, or true for automatic parameters. Gives a warning about a weak size.
    #[napi]
    pub fn set_dh_param(&self, env: &Env, pem: Either<&[u8], bool>) -> Result<Option<&'static str>> {
        let context = self.open(env)?;
        match pem {
            Either::A(pem) => context.set_dh_param(pem).or_throw(env),
            Either::B(_) => context.set_dh_auto().map(|()| None).or_throw(env),
        }
    }

    #[napi]
    pub fn set_options(&self, env: &Env, options: i64) -> Result<()> {
        self.open(env)?.set_options(options as u64).or_throw(env)
    }

    #[napi]
    pub fn get_min_proto(&self, env: &Env) -> Result<u32> {
        Ok(self.open(env)?.min_proto().into())
    }

    #[napi]
    pub fn get_max_proto(&self, env: &Env) -> Result<u32> {
        Ok(self.open(env)?.max_proto().into())
    }

    #[napi]
    pub fn set_min_proto(&self, env: &Env, version: u32) -> Result<()> {
        self.open(env)?.set_min_proto(version as u16).or_throw(env)
    }

    #[napi]
    pub fn set_max_proto(&self, env: &Env, version: u32) -> Result<()> {
        self.open(env)?.set_max_proto(version as u16).or_throw(env)
    }

    #[napi]
    pub fn add_ca_cert(&self, env: &Env, pem: &[u8]) -> Result<()> {
        self.open(env)?.add_ca_cert(pem).or_throw(env)
    }

    /// PEM files named by the hash of the subject.
    #[napi]
    pub fn add_ca_dir(&self, env: &Env, path: String) -> Result<()> {
        self.open(env)?.add_ca_directory(&path).or_throw(env)
    }

    /// PEM of certificates to send behind the chain.
    #[napi]
    pub fn add_chain_cert(&self, env: &Env, pem: &[u8]) -> Result<()> {
        self.open(env)?.add_chain(pem).or_throw(env)
    }

    /// No session can be resumed.
    #[napi]
    pub fn disable_sessions(&self, env: &Env) -> Result<()> {
        self.open(env)?.disable_sessions().or_throw(env)
    }

    /// The process' shared roots.
    #[napi]
    pub fn add_root_certs(&self, env: &Env) -> Result<()> {
        self.open(env)?.add_root_certs().or_throw(env)
    }

    /// Roots of this program's choice.
    #[napi]
    pub fn use_roots(&self, env: &Env, roots: &RootStore) -> Result<()> {
        self.open(env)?.use_roots(&roots.roots).or_throw(env)
    }

    /// Names of `certificateCompressionAlgorithms()`; others do not count.
    #[napi]
    pub fn set_certificate_compression(&self, env: &Env, names: Vec<String>) -> Result<()> {
        let algorithms: Vec<_> = names.iter().filter_map(|name| Compression::from_name(name)).collect();
        self.open(env)?.set_certificate_compression(&algorithms).or_throw(env)
    }

    #[napi]
    pub fn add_crl(&self, env: &Env, pem: &[u8]) -> Result<()> {
        self.open(env)?.add_crl(pem).or_throw(env)
    }

    #[napi]
    pub fn set_allow_partial_trust_chain(&self, env: &Env) -> Result<()> {
        self.open(env)?.set_allow_partial_trust_chain().or_throw(env)
    }

    #[napi]
    pub fn set_cert(&self, env: &Env, pem: &[u8]) -> Result<()> {
        self.open(env)?.set_cert(pem).or_throw(env)
    }

    #[napi]
    pub fn set_key(&self, env: &Env, pem: &[u8], passphrase: Option<String>) -> Result<()> {
        // Without a passphrase an encrypted key is tried with the empty one, as in Node: "bad decrypt" says what is wrong.
        let passphrase = Secret::new(passphrase.unwrap_or_default().into_bytes()).or_throw(env)?;
        self.open(env)?.set_key(pem, Some(&passphrase)).or_throw(env)
    }

    /// `legacy`: files of old tools (RC2-40, DES) are read too.
    #[napi]
    pub fn load_pkcs12(&self, env: &Env, der: &[u8], passphrase: Option<&[u8]>, legacy: bool) -> Result<()> {
        let passphrase = passphrase.map(Secret::seal).transpose().or_throw(env)?;
        let legacy = if legacy { LegacyPkcs12::Read } else { LegacyPkcs12::Refuse };
        self.open(env)?.load_pkcs12(der, passphrase.as_ref(), legacy).or_throw(env)
    }

    #[napi]
    pub fn set_session_id_context(&self, env: &Env, id: String) -> Result<()> {
        self.open(env)?.set_session_id_context(&id).or_throw(env)
    }

    /// Seconds.
    #[napi]
    pub fn set_session_timeout(&self, env: &Env, seconds: i64) -> Result<()> {
        self.open(env)?.set_session_timeout(seconds.clamp(0, i64::from(u32::MAX)) as u32).or_throw(env)
    }

    /// 48 bytes: name, HMAC key, AES key.
    #[napi]
    pub fn set_ticket_keys(&self, env: &Env, keys: &[u8]) -> Result<()> {
        self.open(env)?.set_ticket_keys(keys).or_throw(env)
    }

    /// From now on the program gives the keys of each ticket.
    #[napi]
    pub fn ask_ticket_keys(&self, env: &Env) -> Result<()> {
        self.open(env)?.ask_ticket_keys();
        Ok(())
    }

    #[napi]
    pub fn get_ticket_keys(&self, env: &Env) -> Result<Buffer> {
        Ok(self.open(env)?.ticket_keys().to_vec().into())
    }

    /// DER.
    #[napi]
    pub fn get_certificate(&self, env: &Env) -> Result<Option<Buffer>> {
        Ok(self.open(env)?.certificate().map(Buffer::from))
    }

    /// DER.
    #[napi]
    pub fn get_issuer(&self, env: &Env) -> Result<Option<Buffer>> {
        Ok(self.open(env)?.issuer().map(Buffer::from))
    }

    #[napi]
    pub fn close(&mut self) {
        self.inner = None;
    }
}

/// Roots that a program chose, for any number of contexts.
#[napi]
pub struct RootStore {
    roots: engine::RootStore,
}

#[napi]
impl RootStore {
    /// PEM; each text may hold several.
    #[napi(constructor)]
    pub fn new(env: &Env, pems: Vec<BufferSlice>) -> Result<Self> {
        Ok(RootStore { roots: engine::RootStore::new(pems.iter().map(|pem| &**pem)).or_throw(env)? })
    }

    /// PEM each.
    #[napi]
    pub fn certificates(&self, env: &Env) -> Result<Vec<String>> {
        self.roots.certificates().or_throw(env)
    }
}

/// PEM each; `openssl`: those of OpenSSL's defaults instead of the operating system's.
#[napi]
pub fn machine_certificates(env: &Env, openssl: bool) -> Result<Vec<String>> {
    let found = match openssl {
        true => credentials::openssl_certificates(),
        false => credentials::system_certificates(),
    };
    credentials::to_pem(&found).or_throw(env)
}

/// What OpenSSL can compress certificates with.
#[napi]
pub fn certificate_compression_algorithms() -> Vec<&'static str> {
    Compression::available().into_iter().map(Compression::name).collect()
}

/// Whether the process has its roots yet.
#[napi]
pub fn has_root_store() -> bool {
    engine::has_root_store()
}

/// The roots of every context that names none of its own. Once per process; what cannot be parsed is left out.
#[napi]
pub fn set_root_store(env: &Env, pems: Vec<String>) -> Result<()> {
    engine::set_root_store(pems.iter().map(String::as_str)).or_throw(env)
}
