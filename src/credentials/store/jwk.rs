//! JSON Web Keys (RFC 7517), one or a set, with the certificates that come with them (`x5c`).

use jose_jwk::jose_b64::{base64ct::Base64, serde::Bytes};
use jose_jwk::{Ec, EcCurves, Key, Okp, OkpCurves, Rsa};
use openssl::nid::Nid;
use openssl::pkey::Id;
use openssl::x509::X509;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{keys, refusal, CertificateStore};
use crate::error::Result;

/// What counts of a key: not what it is meant for.
#[derive(Deserialize)]
struct Jwk {
    #[serde(flatten)]
    key: Key,
    /// DER in Base64, the key's own certificate first.
    #[serde(default)]
    x5c: Vec<Bytes<Box<[u8]>, Base64>>,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Jwk>,
}

pub(super) fn read(json: &[u8]) -> Result<CertificateStore> {
    let set = serde_json::from_slice::<JwkSet>(json)
        .or_else(|_| serde_json::from_slice::<Jwk>(json).map(|key| JwkSet { keys: vec![key] }))
        // What serde says of bad input can quote it.
        .map_err(|_| refusal("The store is no JSON Web Key of a type that is supported."))?;
    let mut store = CertificateStore::default();
    for jwk in set.keys {
        add(&mut store, &jwk.key)?;
        for der in &jwk.x5c {
            store.add_certificate(X509::from_der(der.as_ref())?)?;
        }
    }
    Ok(store)
}

fn add(store: &mut CertificateStore, key: &Key) -> Result<()> {
    match key {
        Key::Rsa(key) => rsa(store, key),
        Key::Ec(key) => ec(store, key),
        Key::Okp(key) => okp(store, key),
        _ => Err(refusal("A symmetric JSON Web Key is no certificate's key.")),
    }
}

fn rsa(store: &mut CertificateStore, key: &Rsa) -> Result<()> {
    let (n, e) = (&key.n[..], &key.e[..]);
    let Some(private) = &key.prv else {
        return store.add_public_key(keys::rsa_public(n, e)?);
    };
    let primes = match &private.opt {
        Some(more) if !more.oth.is_empty() => {
            return Err(refusal("RSA keys of more than two primes are not supported."))
        }
        Some(more) => (&more.p[..], &more.q[..]),
        None => return Err(refusal("The RSA key comes without its primes.")),
    };
    store.add_key(keys::rsa_private(n, e, &private.d, primes)?)
}

fn ec(store: &mut CertificateStore, key: &Ec) -> Result<()> {
    let (curve, length) = match key.crv {
        EcCurves::P256 => (Nid::X9_62_PRIME256V1, 32),
        EcCurves::P384 => (Nid::SECP384R1, 48),
        EcCurves::P521 => (Nid::SECP521R1, 66),
        EcCurves::P256K => (Nid::SECP256K1, 32),
        _ => return Err(refusal("The curve of the key is not supported.")),
    };
    if key.x.len() != length || key.y.len() != length {
        return Err(refusal("A coordinate of the key has the wrong length."));
    }
    // SEC 1's form of a point that is not compressed.
    let point = Zeroizing::new([&[4], &key.x[..], &key.y[..]].concat());
    match &key.d {
        Some(d) => store.add_key(keys::ec_private(curve, &point, d)?),
        None => store.add_public_key(keys::ec_public(curve, &point)?),
    }
}

fn okp(store: &mut CertificateStore, key: &Okp) -> Result<()> {
    let kind = match key.crv {
        OkpCurves::Ed25519 => Id::ED25519,
        OkpCurves::Ed448 => Id::ED448,
        OkpCurves::X25519 => Id::X25519,
        OkpCurves::X448 => Id::X448,
        _ => return Err(refusal("The curve of the key is not supported.")),
    };
    match &key.d {
        Some(d) => store.add_key(keys::raw_private(kind, &key.x, d)?),
        None => store.add_public_key(keys::raw_public(kind, &key.x)?),
    }
}
