//! Who a server or client is: a certificate, its key and the chain behind it, in the forms that a program may name
//! them in.

use openssl::pkey::{PKey, Private};
use openssl::x509::{X509Ref, X509VerifyResult, X509};
use zeroize::Zeroizing;

use super::pem::{self, certificate_chain};
use crate::credentials::{private_key, read_pkcs12, start_openssl, LegacyPkcs12, Sandbox, Secret};
use crate::error::{Error, Result};

/// A certificate with its key.
pub struct Identity {
    pub key: PKey<Private>,
    pub certificate: X509,
    /// What to send behind the certificate.
    pub chain: Vec<X509>,
}

/// Where an identity comes from. Each text is PEM, or the path of a file that [`Sandbox::read`] finds; empty counts as
/// not given.
pub struct IdentitySource<'a> {
    /// PEM (certificates behind the first are its chain), a file of it, or a PKCS#12 file, which has the key and the
    /// chain too.
    pub certificate: &'a [u8],
    /// PEM: PKCS#1, PKCS#8 or SEC1, encrypted or not. Without one it is looked for beside the certificate.
    pub private_key: &'a [u8],
    /// Of the key or the PKCS#12 file.
    pub password: Option<&'a Secret>,
    /// PEM; stands in the place of the chain that came with the certificate.
    pub chain: &'a [u8],
    pub sandbox: &'a Sandbox,
}

enum Content {
    Pem(Zeroizing<Vec<u8>>),
    Other(Zeroizing<Vec<u8>>),
}

impl Identity {
    /// Errors, besides those of [`Sandbox::read`], with a message that begins with the argument's name and holds
    /// nothing of its value:
    ///
    /// | code | what is wrong |
    /// |---|---|
    /// | `ERR_C4TLS_NO_CERTIFICATE` | no certificate given, or none in what was given |
    /// | `ERR_C4TLS_BAD_CERTIFICATE` | a certificate that cannot be parsed |
    /// | `ERR_C4TLS_NO_PRIVATE_KEY` | no key given, or none in what was given |
    /// | `ERR_C4TLS_BAD_PRIVATE_KEY` | a key that cannot be parsed or is of no known kind |
    /// | `ERR_C4TLS_BAD_PKCS12` | a file that is neither PEM nor a PKCS#12 file that can be read |
    /// | `ERR_C4TLS_PASSWORD_REQUIRED` | an encrypted key or file, and no password |
    /// | `ERR_C4TLS_WRONG_PASSWORD` | another password than the one that it was encrypted with |
    /// | `ERR_C4TLS_KEY_MISMATCH` | the key of another certificate |
    pub fn load(source: &IdentitySource<'_>) -> Result<Self> {
        start_openssl();
        let mut identity = source.identity()?;
        if !source.chain.is_empty() {
            identity.chain = source.chain()?;
        }
        identity.chain = in_order(&identity.certificate, std::mem::take(&mut identity.chain));
        Ok(identity)
    }
}

impl IdentitySource<'_> {
    fn identity(&self) -> Result<Identity> {
        const NAME: &str = "certificate";
        if self.certificate.is_empty() {
            return Err(missing(NAME, "CERTIFICATE", "none is given; give PEM text or the path of a file"));
        }
        match self.content(NAME, self.certificate)? {
            Content::Pem(text) => {
                let (certificate, chain) = read_certificates(NAME, &text)?;
                let key = match self.private_key {
                    [] => self.read_key(NAME, &text)?,
                    key => self.key(key)?,
                };
                let fits = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
                match fits {
                    true => Ok(Identity { key, certificate, chain }),
                    false => Err(Error::new(
                        "ERR_C4TLS_KEY_MISMATCH",
                        "privateKey: it does not belong to the certificate; if the certificate comes with others, it \
                         must be the first",
                    )),
                }
            }
            Content::Other(der) => read_pkcs12(&der, self.password, LegacyPkcs12::Read).map_err(|e| self.pkcs12(e)),
        }
    }

    fn key(&self, argument: &[u8]) -> Result<PKey<Private>> {
        const NAME: &str = "privateKey";
        match self.content(NAME, argument)? {
            Content::Pem(text) => self.read_key(NAME, &text),
            Content::Other(_) => {
                Err(Error::new("ERR_C4TLS_BAD_PRIVATE_KEY", format!("{NAME}: the file is no PEM; convert it to PEM")))
            }
        }
    }

    fn chain(&self) -> Result<Vec<X509>> {
        const NAME: &str = "chain";
        match self.content(NAME, self.chain)? {
            Content::Pem(text) => {
                let (first, mut rest) = read_certificates(NAME, &text)?;
                rest.insert(0, first);
                Ok(rest)
            }
            Content::Other(_) => Err(missing(NAME, "CERTIFICATE", "the file is no PEM; convert it to PEM")),
        }
    }

    /// PEM text, or what a file holds.
    fn content(&self, name: &str, argument: &[u8]) -> Result<Content> {
        if pem::is_pem(argument) {
            return Ok(Content::Pem(pem::tidied(argument)));
        }
        let file = self.sandbox.read(argument).map_err(|e| about(name, e))?;
        Ok(match pem::is_pem(&file) {
            true => Content::Pem(pem::tidied(&file)),
            false => Content::Other(file),
        })
    }

    fn read_key(&self, name: &str, text: &[u8]) -> Result<PKey<Private>> {
        if !pem::has_private_key(text) {
            return Err(missing("privateKey", "PRIVATE_KEY", &format!("no private key in the PEM of '{name}'")));
        }
        private_key(text, self.password).map_err(|e| {
            if e.code.contains("BAD_DECRYPT") || e.code.contains("INTERRUPTED") {
                return self.locked(name);
            }
            let message = format!("{name}: the private key cannot be read; it is damaged or of an unknown kind");
            Error { message, code: "ERR_C4TLS_BAD_PRIVATE_KEY".into(), ..e }
        })
    }

    fn pkcs12(&self, error: Error) -> Error {
        const NAME: &str = "certificate";
        let message = match &*error.message {
            "mac verify failure" | "bad decrypt" | "pkcs12 cipherfinal error" => return self.locked(NAME),
            m if m.contains("Unable to load private key") => "the PKCS#12 file holds no private key",
            m if m.contains("Unable to load certificate") => {
                "the PKCS#12 file holds no certificate for its private key"
            }
            m if m.contains("Unsupported") => "the PKCS#12 file is encrypted in a way that is not supported",
            _ => "the file is neither PEM nor a PKCS#12 file that can be read",
        };
        let code = match message {
            m if m.contains("no private key") => "ERR_C4TLS_NO_PRIVATE_KEY",
            m if m.contains("no certificate") => "ERR_C4TLS_NO_CERTIFICATE",
            _ => "ERR_C4TLS_BAD_PKCS12",
        };
        Error { code: code.into(), message: format!("{NAME}: {message}"), ..error }
    }

    fn locked(&self, name: &str) -> Error {
        match self.password {
            None => {
                Error::new("ERR_C4TLS_PASSWORD_REQUIRED", format!("password: '{name}' is encrypted; give its password"))
            }
            Some(_) => Error::new(
                "ERR_C4TLS_WRONG_PASSWORD",
                format!("password: it does not open '{name}'; check the password, and that the file is undamaged"),
            ),
        }
    }
}

fn read_certificates(name: &str, text: &[u8]) -> Result<(X509, Vec<X509>)> {
    certificate_chain(text).map_err(|e| match e.code.contains("NO_START_LINE") {
        true => missing(name, "CERTIFICATE", "no certificate in the PEM; it must hold a block of BEGIN CERTIFICATE"),
        false => Error {
            message: format!("{name}: a certificate cannot be read; it is damaged or cut short"),
            code: "ERR_C4TLS_BAD_CERTIFICATE".into(),
            ..e
        },
    })
}

fn missing(name: &str, what: &str, reason: &str) -> Error {
    Error::new(format!("ERR_C4TLS_NO_{what}"), format!("{name}: {reason}"))
}

fn about(name: &str, error: Error) -> Error {
    Error { message: format!("{name}: {}", error.message), ..error }
}

/// Each certificate before its issuer, as TLS 1.2 asks for; what hangs below nothing comes last, in its own order. The
/// leaf and what is there twice go out.
fn in_order(leaf: &X509Ref, mut rest: Vec<X509>) -> Vec<X509> {
    let mut chain: Vec<X509> = Vec::with_capacity(rest.len());
    rest.retain(|x| !same(x, leaf));
    loop {
        let last = chain.last().map_or(leaf, |x| x);
        let Some(next) = rest.iter().position(|x| x.issued(last) == X509VerifyResult::OK) else { break };
        let next = rest.remove(next);
        rest.retain(|x| !same(x, &next));
        chain.push(next);
    }
    for certificate in rest {
        if !chain.iter().any(|x| same(x, &certificate)) {
            chain.push(certificate);
        }
    }
    chain
}

fn same(one: &X509Ref, other: &X509Ref) -> bool {
    matches!((one.to_der(), other.to_der()), (Ok(one), Ok(other)) if one == other)
}
