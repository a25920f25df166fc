//! Self-signed certificates for development.

use std::net::IpAddr;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509NameBuilder, X509};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The longest validity, in days.
const MOST_DAYS: u32 = 36_500;
/// More names than this make a certificate that some clients refuse.
const MOST_NAMES: usize = 100;

/// A self-signed certificate and its private key (PKCS#8), both PEM.
///
/// `names`: 1 to 100 DNS names and IP addresses, all of them subject alternative names (RFC 6125), the first also the
/// common name. `days`: 1 to 36500, from an hour ago. `key_type`: `ec` (P-256), `rsa` (2048 bits) or `ed25519`.
/// Anything else is `ERR_INVALID_ARG_VALUE`.
pub fn generate_certificate(names: &[String], days: u32, key_type: &str) -> Result<(String, String)> {
    let first = check(names, days)?;
    let key = generate_key(key_type)?;

    let mut subject = X509NameBuilder::new()?;
    // RFC 5280: a common name has at most 64 characters; the alternative names are what clients look at.
    subject.append_entry_by_nid(Nid::COMMONNAME, first.get(..64).unwrap_or(first))?;
    let subject = subject.build();

    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::ONE, false)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*Asn1Integer::from_bn(&serial)?)?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(&key)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs() as i64);
    // An hour of grace for clocks that run late.
    builder.set_not_before(&*Asn1Time::from_unix(now - 3600)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(now + i64::from(days) * 86_400)?)?;

    // Its own issuer: importing it as a trusted root must be enough for every client.
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    let mut usage = KeyUsage::new();
    usage.critical().digital_signature().key_cert_sign();
    if key.id() == Id::RSA {
        usage.key_encipherment();
    }
    builder.append_extension(usage.build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build()?)?;
    let mut alternative = SubjectAlternativeName::new();
    for name in names {
        match name.parse::<IpAddr>() {
            Ok(_) => alternative.ip(name),
            Err(_) => alternative.dns(name),
        };
    }
    let context = builder.x509v3_context(None, None);
    let alternative = alternative.build(&context)?;
    let key_id = SubjectKeyIdentifier::new().build(&context)?;
    builder.append_extension(alternative)?;
    builder.append_extension(key_id)?;
    let authority = AuthorityKeyIdentifier::new().keyid(false).build(&builder.x509v3_context(None, None))?;
    builder.append_extension(authority)?;
    let digest = if key.id() == Id::ED25519 { MessageDigest::null() } else { MessageDigest::sha256() };
    builder.sign(&key, digest)?;

    let key_pem = Zeroizing::new(key.private_key_to_pem_pkcs8()?);
    Ok((text(builder.build().to_pem()?)?, text(key_pem.to_vec())?))
}

fn check(names: &[String], days: u32) -> Result<&str> {
    let invalid = |message: String| Error::new("ERR_INVALID_ARG_VALUE", message);
    let first = match names {
        [] => return Err(invalid("names must hold at least one DNS name or IP address".to_owned())),
        [first, ..] if names.len() <= MOST_NAMES => first,
        _ => return Err(invalid(format!("names must hold at most {MOST_NAMES} names"))),
    };
    for name in names {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'*' | b':'));
        let dns_or_ip = !name.contains(':') || name.parse::<IpAddr>().is_ok();
        if name.is_empty() || name.len() > 253 || !plain || !dns_or_ip {
            return Err(invalid(format!("{name:?} is neither a DNS name nor an IP address")));
        }
    }
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(invalid(format!("days must be 1 to {MOST_DAYS}, not {days}")));
    }
    Ok(first)
}

fn generate_key(key_type: &str) -> Result<PKey<Private>> {
    Ok(match key_type {
        "ec" => {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            PKey::from_ec_key(EcKey::generate(&group)?)?
        }
        "rsa" => PKey::from_rsa(Rsa::generate(2048)?)?,
        "ed25519" => PKey::generate_ed25519()?,
        other => {
            let message = format!("keyType must be 'ec', 'rsa' or 'ed25519', not {other:?}");
            return Err(Error::new("ERR_INVALID_ARG_VALUE", message));
        }
    })
}

fn text(pem: Vec<u8>) -> Result<String> {
    String::from_utf8(pem).map_err(|_| Error::new("ERR_CRYPTO_OPERATION_FAILED", "PEM output is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], key_type: &str) -> (X509, PKey<Private>) {
        let names: Vec<_> = names.iter().map(|n| n.to_string()).collect();
        let (cert, key) = generate_certificate(&names, 7, key_type).unwrap();
        (X509::from_pem(cert.as_bytes()).unwrap(), PKey::private_key_from_pem(key.as_bytes()).unwrap())
    }

    #[test]
    fn every_key_type_signs_its_own_certificate() {
        for (key_type, id) in [("ec", Id::EC), ("rsa", Id::RSA), ("ed25519", Id::ED25519)] {
            let (cert, key) = made(&["localhost"], key_type);
            assert_eq!(key.id(), id);
            assert!(cert.verify(&key).unwrap());
            assert!(cert.public_key().unwrap().public_eq(&key));
        }
    }

    #[test]
    fn names_become_alternative_names() {
        let (cert, _) = made(&["c4.test", "*.c4.test", "127.0.0.1", "::1"], "ec");
        let alternative = cert.subject_alt_names().unwrap();
        let dns: Vec<_> = alternative.iter().filter_map(|n| n.dnsname()).collect();
        let ips: Vec<_> = alternative.iter().filter_map(|n| n.ipaddress()).map(<[u8]>::len).collect();
        assert_eq!((dns, ips), (vec!["c4.test", "*.c4.test"], vec![4, 16]));
    }

    #[test]
    fn bad_input_is_an_error() {
        let names = |n: &[&str]| n.iter().map(|n| n.to_string()).collect::<Vec<_>>();
        for (list, days, key_type) in [
            (names(&[]), 7, "ec"),
            (names(&["a b"]), 7, "ec"),
            (names(&["a\0"]), 7, "ec"),
            (names(&["x:y"]), 7, "ec"),
            (names(&["a"]), 0, "ec"),
            (names(&["a"]), 36_501, "ec"),
            (names(&["a"]), 7, "dsa"),
            (vec!["a".to_owned(); 101], 7, "ec"),
        ] {
            let error = generate_certificate(&list, days, key_type).unwrap_err();
            assert_eq!(error.code, "ERR_INVALID_ARG_VALUE");
        }
    }
}
