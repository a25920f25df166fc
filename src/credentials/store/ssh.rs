//! SSH's keys: public ones, PuTTY's private key files, OpenSSH's private keys.

use memchr::memmem;
use openssl::bn::{BigNum, BigNumContext};
use openssl::dsa::Dsa;
use openssl::ec::PointConversionForm;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Private, Public};
use ssh_key::private::{EcdsaKeypair, KeypairData};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{EcdsaCurve, Error as SshError, Kdf, Mpint, PrivateKey, PublicKey};

use super::content::base64;
use super::{keys, refusal, CertificateStore, Passwords};
use crate::credentials::Secret;
use crate::error::{Error, Result};

/// The most memory that opening a PuTTY file may take, in KiB; PuTTY's own choice is 8 MiB.
const MAX_ARGON2_MEMORY: u64 = 256 << 10;
/// Memory in KiB times passes: some seconds of work. PuTTY's own choice is a tenth of a second.
const MAX_ARGON2_WORK: u64 = 4 << 20;
/// Rounds of bcrypt for an OpenSSH key: some ten seconds of work. `ssh-keygen` takes 16 or 24.
const MAX_BCRYPT_ROUNDS: u32 = 1024;

const BEGIN_SSH2: &str = "---- BEGIN SSH2 PUBLIC KEY ----";
const END_SSH2: &str = "---- END SSH2 PUBLIC KEY ----";

/// A line of OpenSSH's form: algorithm, Base64, comment.
pub(super) fn is_public_key(text: &[u8]) -> bool {
    [&b"ssh-"[..], b"ecdsa-sha2-", b"sk-ssh-", b"sk-ecdsa-"].iter().any(|start| text.starts_with(start))
}

/// OpenSSH's line, RFC 4716's text, or the wire form, in Base64 or not.
pub(super) fn public_key(bytes: &[u8]) -> Result<CertificateStore> {
    let invalid = |_| refusal("The store is no SSH public key.");
    let found = match std::str::from_utf8(bytes).map(str::trim) {
        Ok(text) if is_public_key(text.as_bytes()) => PublicKey::from_openssh(text).map_err(invalid)?,
        Ok(text) => {
            let body = text.strip_prefix(BEGIN_SSH2).map(rfc4716_body);
            let wire = base64(body.as_deref().unwrap_or(text).as_bytes()).unwrap_or_default();
            PublicKey::from_bytes(&wire).map_err(invalid)?
        }
        Err(_) => PublicKey::from_bytes(bytes).map_err(invalid)?,
    };
    let mut store = CertificateStore::default();
    store.add_public_key(to_public(found.key_data())?)?;
    Ok(store)
}

/// The Base64 of an RFC 4716 text: what is left without headers, which have a colon and may go on over a line's end
/// behind a backslash.
fn rfc4716_body(text: &str) -> String {
    let mut in_header = false;
    let mut body = String::with_capacity(text.len());
    for line in text.lines().take_while(|line| !line.starts_with(END_SSH2)) {
        let header = in_header || line.contains(':');
        in_header = header && line.ends_with('\\');
        if !header {
            body.push_str(line);
        }
    }
    body
}

/// PuTTY's format, version 2 or 3.
pub(super) fn ppk(bytes: &[u8], passwords: Passwords<'_>) -> Result<CertificateStore> {
    let text = std::str::from_utf8(bytes).map_err(|_| refusal("The store is no PuTTY private key."))?.trim();
    check_argon2(text)?;
    let password = passwords.for_keys().map(Secret::open).transpose()?;
    // The crate takes the password as a String of its own, which it does not wipe.
    let password = match password {
        Some(password) => Some(
            String::from_utf8(password.to_vec())
                .map_err(|_| refusal("The password of a PuTTY private key must be UTF-8."))?,
        ),
        None => None,
    };
    let key = PrivateKey::from_ppk(text, password).map_err(|error| ssh_refusal(&error, "PuTTY"))?;
    let mut store = CertificateStore::default();
    store.add_key(to_private(key.key_data())?)?;
    Ok(store)
}

/// The crate would take any amount of memory that a file asks for.
fn check_argon2(text: &str) -> Result<()> {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().parse::<u64>().unwrap_or(u64::MAX))
    };
    let memory = value("Argon2-Memory:").unwrap_or(0);
    let work = memory.saturating_mul(value("Argon2-Passes:").unwrap_or(0));
    match memory > MAX_ARGON2_MEMORY || work > MAX_ARGON2_WORK {
        true => Err(refusal("Opening the PuTTY private key takes more memory or time than is allowed.")),
        false => Ok(()),
    }
}

/// `-----BEGIN OPENSSH PRIVATE KEY-----`
pub(super) fn openssh(pem: &[u8], passwords: Passwords<'_>) -> Result<PKey<Private>> {
    const END: &[u8] = b"-----END OPENSSH PRIVATE KEY-----";
    let start = memmem::find(pem, b"-----BEGIN OPENSSH").unwrap_or(0);
    let end = memmem::find(pem, END).map_or(pem.len(), |at| at + END.len());
    let block = pem.get(start..end).unwrap_or(pem);
    let refuse = |error: SshError| ssh_refusal(&error, "OpenSSH");
    let key = PrivateKey::from_openssh(block).map_err(refuse)?;
    if !key.is_encrypted() {
        return to_private(key.key_data());
    }
    if matches!(key.kdf(), Kdf::Bcrypt { rounds, .. } if *rounds > MAX_BCRYPT_ROUNDS) {
        return Err(refusal("Opening the OpenSSH private key takes more time than is allowed."));
    }
    let Some(password) = passwords.for_keys() else { return Err(refuse(SshError::Encrypted)) };
    to_private(key.decrypt(&*password.open()?).map_err(refuse)?.key_data())
}

fn ssh_refusal(error: &SshError, program: &str) -> Error {
    const ENCRYPTED: &str = "The private key is encrypted, and there is no password.";
    const WRONG: &str = "The password of the private key is wrong.";
    match error {
        SshError::Encrypted => refusal(ENCRYPTED),
        SshError::Crypto => refusal(WRONG),
        // The crate keeps the type of this reason to itself.
        SshError::Ppk(reason) => match reason.to_string().as_str() {
            "private key is encrypted" => refusal(ENCRYPTED),
            "incorrect MAC" => refusal(WRONG),
            _ => refusal("The store is no PuTTY private key."),
        },
        SshError::AlgorithmUnsupported { .. } | SshError::AlgorithmUnknown => {
            refusal("The type of the SSH key is not supported.")
        }
        _ => refusal(format!("The store is no {program} private key.")),
    }
}

fn curve(curve: EcdsaCurve) -> Nid {
    match curve {
        EcdsaCurve::NistP256 => Nid::X9_62_PRIME256V1,
        EcdsaCurve::NistP384 => Nid::SECP384R1,
        EcdsaCurve::NistP521 => Nid::SECP521R1,
    }
}

fn to_public(key: &KeyData) -> Result<PKey<Public>> {
    match key {
        KeyData::Rsa(key) => keys::rsa_public(key.n().as_bytes(), key.e().as_bytes()),
        KeyData::Ecdsa(key) => keys::ec_public(curve(key.curve()), key.as_sec1_bytes()),
        KeyData::Ed25519(key) => keys::raw_public(Id::ED25519, &key.0),
        KeyData::Dsa(key) => {
            let number = |value: &Mpint| BigNum::from_slice(value.as_bytes());
            let (p, q, g) = (number(key.p())?, number(key.q())?, number(key.g())?);
            Ok(PKey::from_dsa(Dsa::from_public_components(p, q, g, number(key.y())?)?)?)
        }
        _ => Err(refusal("The type of the SSH key is not supported.")),
    }
}

fn to_private(key: &KeypairData) -> Result<PKey<Private>> {
    match key {
        KeypairData::Rsa(key) => {
            let (public, private) = (key.public(), key.private());
            let primes = (private.p().as_bytes(), private.q().as_bytes());
            keys::rsa_private(public.n().as_bytes(), public.e().as_bytes(), private.d().as_bytes(), primes)
        }
        KeypairData::Ecdsa(key) => {
            let (point, d): (_, &[u8]) = match key {
                EcdsaKeypair::NistP256 { public, private } => (public.as_bytes(), private.as_ref()),
                EcdsaKeypair::NistP384 { public, private } => (public.as_bytes(), private.as_ref()),
                EcdsaKeypair::NistP521 { public, private } => (public.as_bytes(), private.as_ref()),
            };
            keys::ec_private(curve(key.curve()), point, d)
        }
        KeypairData::Ed25519(key) => keys::raw_private(Id::ED25519, &key.public.0, key.private.as_ref()),
        _ => Err(refusal("The type of the SSH key is not supported.")),
    }
}

/// A public key as SSH sends it, which SSH's fingerprints are made of. `None` for keys that SSH does not have.
pub(in crate::credentials) fn wire_form(key: &PKeyRef<Public>) -> Option<Vec<u8>> {
    let data = match key.id() {
        Id::RSA => {
            let key = key.rsa().ok()?;
            let number = |value: &openssl::bn::BigNumRef| Mpint::from_positive_bytes(&value.to_vec());
            KeyData::Rsa(RsaPublicKey::new(number(key.e()), number(key.n())).ok()?)
        }
        Id::EC => {
            let key = key.ec_key().ok()?;
            let mut context = BigNumContext::new().ok()?;
            let point = key.public_key().to_bytes(key.group(), PointConversionForm::UNCOMPRESSED, &mut context).ok()?;
            let data = EcdsaPublicKey::from_sec1_bytes(&point).ok()?;
            // The length alone does not tell secp256k1 from P-256.
            (key.group().curve_name()? == curve(data.curve())).then_some(KeyData::Ecdsa(data))?
        }
        Id::ED25519 => KeyData::Ed25519(Ed25519PublicKey(key.raw_public_key().ok()?.try_into().ok()?)),
        _ => return None,
    };
    PublicKey::from(data).to_bytes().ok()
}
