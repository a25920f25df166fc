//! Development certificates.

use std::net::IpAddr;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{Asn1Flag, EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509Builder, X509NameBuilder};

use crate::credentials::start_openssl;
use crate::error::{Error, Result};

/// RFC 5280 has no bound on validity; this one keeps the year below 10000, which X.509 dates end at.
pub const MAX_DAYS: u32 = 365 * 1000;
/// RFC 5280's upper bound of a common name.
const MAX_COMMON_NAME: usize = 64;
/// A DNS name's length in octets of text.
const MAX_NAME: usize = 253;
const RSA_BITS: u32 = 2048;
const SERIAL_BITS: i32 = 159;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyType {
    /// P-256.
    #[default]
    Ec,
    /// 2048 bits.
    Rsa,
    Ed25519,
}

impl std::str::FromStr for KeyType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "ec" => Ok(KeyType::Ec),
            "rsa" => Ok(KeyType::Rsa),
            "ed25519" => Ok(KeyType::Ed25519),
            _ => Err(invalid("keyType", "must be 'ec', 'rsa' or 'ed25519'")),
        }
    }
}

/// PEM texts.
#[derive(Debug, Clone)]
pub struct Generated {
    pub cert: String,
    /// PKCS#8, not encrypted.
    pub key: String,
}

/// A self-signed certificate for `names` (DNS names and IP addresses), good for servers and clients, from now on for
/// `days` days. The first name is the subject's common name as well.
///
/// Errors are `ERR_INVALID_ARG_VALUE`: no names, a name that is neither a DNS name nor an address, days out of
/// 1..=[`MAX_DAYS`].
pub fn generate_certificate(names: &[String], days: u32, key_type: KeyType) -> Result<Generated> {
    start_openssl();
    let first = names.first().ok_or_else(|| invalid("names", "must hold a name at least"))?;
    if let Some(bad) = names.iter().find(|name| !is_name(name)) {
        return Err(invalid("names", &format!("holds {bad:?}, which is neither a DNS name nor an IP address")));
    }
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(invalid("days", &format!("must be between 1 and {MAX_DAYS}")));
    }

    let key = make_key(key_type)?;
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(SERIAL_BITS, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    builder.set_serial_number(&serial)?;
    let mut subject = X509NameBuilder::new()?;
    let common_name: String = first.chars().take(MAX_COMMON_NAME).collect();
    subject.append_entry_by_nid(Nid::COMMONNAME, &common_name)?;
    let subject = subject.build();
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    let now = Asn1Time::days_from_now(0)?;
    builder.set_not_before(&now)?;
    let end = Asn1Time::days_from_now(days)?;
    builder.set_not_after(&end)?;
    builder.set_pubkey(&key)?;

    // A CA of itself: a client that gets it as `ca` accepts the chain of one.
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature().key_cert_sign();
    if key_type == KeyType::Rsa {
        usage.key_encipherment();
    }
    builder.append_extension(usage.build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build()?)?;
    let context = builder.x509v3_context(None, None);
    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        match name.parse::<IpAddr>() {
            Ok(_) => alternative.ip(name),
            Err(_) => alternative.dns(name),
        };
    }
    let alternative = alternative.build(&context)?;
    let identifier = SubjectKeyIdentifier::new().build(&context)?;
    builder.append_extension(alternative)?;
    builder.append_extension(identifier)?;
    let digest = match key_type {
        KeyType::Ed25519 => MessageDigest::null(),
        KeyType::Ec | KeyType::Rsa => MessageDigest::sha256(),
    };
    builder.sign(&key, digest)?;

    Ok(Generated { cert: text(builder.build().to_pem()?)?, key: text(key.private_key_to_pem_pkcs8()?)? })
}

fn make_key(key_type: KeyType) -> Result<PKey<Private>> {
    Ok(match key_type {
        KeyType::Ec => {
            let mut group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            group.set_asn1_flag(Asn1Flag::NAMED_CURVE);
            PKey::from_ec_key(EcKey::generate(&group)?)?
        }
        KeyType::Rsa => PKey::from_rsa(Rsa::generate(RSA_BITS)?)?,
        KeyType::Ed25519 => PKey::generate_ed25519()?,
    })
}

/// An address, or dot-separated labels of letters, digits, `-` and `_`; `*` may be the first label.
fn is_name(name: &str) -> bool {
    if name.parse::<IpAddr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let rest = name.strip_prefix("*.").unwrap_or(name);
    name.len() <= MAX_NAME && rest.split('.').all(label)
}

fn invalid(argument: &str, reason: &str) -> Error {
    Error::new("ERR_INVALID_ARG_VALUE", format!("The argument '{argument}' {reason}"))
}

fn text(pem: Vec<u8>) -> Result<String> {
    String::from_utf8(pem).map_err(|_| Error::new("ERR_CRYPTO_OPERATION_FAILED", "PEM that is no text"))
}

#[cfg(test)]
mod tests {
    use openssl::x509::X509;

    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|&n| n.to_owned()).collect()
    }

    #[test]
    fn a_certificate_names_what_it_was_asked_for() {
        for key_type in [KeyType::Ec, KeyType::Rsa, KeyType::Ed25519] {
            let made = generate_certificate(&names(&["localhost", "*.example.com", "127.0.0.1", "::1"]), 30, key_type)
                .unwrap();
            let cert = X509::from_pem(made.cert.as_bytes()).unwrap();
            let key = PKey::private_key_from_pem(made.key.as_bytes()).unwrap();
            assert!(cert.verify(&key).unwrap());
            assert!(cert.public_key().unwrap().public_eq(&key));
            let cn = cert.subject_name().entries_by_nid(Nid::COMMONNAME).next().unwrap();
            assert_eq!(cn.data().as_slice(), b"localhost");
            let alt = cert.subject_alt_names().unwrap();
            let dns: Vec<_> = alt.iter().filter_map(|n| n.dnsname()).collect();
            let ips: Vec<_> = alt.iter().filter_map(|n| n.ipaddress()).map(<[u8]>::len).collect();
            assert_eq!((dns, ips), (vec!["localhost", "*.example.com"], vec![4, 16]));
            let days = Asn1Time::days_from_now(0).unwrap().diff(cert.not_after()).unwrap().days;
            assert!((29..=30).contains(&days), "{days}");
        }
    }

    #[test]
    fn two_certificates_differ_in_their_serial_number() {
        let make = || generate_certificate(&names(&["a"]), 1, KeyType::Ed25519).unwrap().cert;
        let serial = |pem: String| X509::from_pem(pem.as_bytes()).unwrap().serial_number().to_bn().unwrap().to_vec();
        assert_ne!(serial(make()), serial(make()));
    }

    #[test]
    fn bad_arguments_are_refused() {
        let bad = [
            generate_certificate(&[], 1, KeyType::Ec),
            generate_certificate(&names(&[""]), 1, KeyType::Ec),
            generate_certificate(&names(&["ok", "a b"]), 1, KeyType::Ec),
            generate_certificate(&names(&["a,DNS:evil.com"]), 1, KeyType::Ec),
            generate_certificate(&names(&["a.*.b"]), 1, KeyType::Ec),
            generate_certificate(&names(&[&"a".repeat(64)]), 1, KeyType::Ec),
            generate_certificate(&names(&["ok"]), 0, KeyType::Ec),
            generate_certificate(&names(&["ok"]), MAX_DAYS + 1, KeyType::Ec),
        ];
        for result in bad {
            assert_eq!(result.unwrap_err().code, "ERR_INVALID_ARG_VALUE");
        }
        assert_eq!("dsa".parse::<KeyType>().unwrap_err().code, "ERR_INVALID_ARG_VALUE");
    }
}
