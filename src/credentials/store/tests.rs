//! Stores made here by OpenSSL, and what hostile ones do.

use openssl::base64::encode_block;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;

use super::*;
use crate::credentials::{describe, generate_certificate, KeyType};

const AUTO: u32 = 99;
const PFX_BLOB: u32 = 3;
const PEM_BLOB: u32 = 7;
const CERTIFICATE_BLOB: u32 = 9;
const JWK_BLOB: u32 = 19;
const PPK_BLOB: u32 = 15;

const PPK: &str = include_str!("../../../test/ipworks/keys/rsa.ppk");
const OPENSSH: &str = include_str!("../../../test/ipworks/keys/openssh.key");

struct Made {
    certificate: X509,
    key: PKey<Private>,
    pem: String,
}

fn make(name: &str, kind: KeyType) -> Made {
    let made = generate_certificate(&[name.to_owned()], 1, kind).unwrap();
    Made {
        certificate: X509::from_pem(made.cert.as_bytes()).unwrap(),
        key: PKey::private_key_from_pem(made.key.as_bytes()).unwrap(),
        pem: made.key + &made.cert,
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec()).unwrap()
}

fn open(store_type: u32, store: &[u8], password: &str) -> Result<CertificateStore> {
    let password = secret(password);
    CertificateStore::open(store_type, store, false, Passwords { store: Some(&password), key: None })
}

fn why(store_type: u32, store: &[u8], password: &str) -> String {
    let error = open(store_type, store, password).err().expect("the store must not open");
    assert_eq!(error.code, CODE);
    error.message
}

fn pfx(made: &Made, password: &str) -> Vec<u8> {
    let mut builder = Pkcs12::builder();
    builder.name("name").pkey(&made.key).cert(&made.certificate);
    builder.build2(password).unwrap().to_der().unwrap()
}

fn subject(found: &Selected) -> String {
    describe(found).unwrap().subject
}

#[test]
fn a_pfx_opens_with_its_password_alone() {
    let made = make("a.test", KeyType::Ec);
    let der = pfx(&made, "right");
    for store in [der.clone(), encode_block(&der).into_bytes()] {
        for store_type in [PFX_BLOB, AUTO] {
            let found = open(store_type, &store, "right").unwrap().by_subject("*").unwrap().unwrap();
            assert_eq!(subject(&found), "CN=a.test");
            assert!(found.key.unwrap().public_eq(&made.key));
        }
        assert_eq!(why(PFX_BLOB, &store, "wrong"), "The password of the store is wrong.");
        assert_eq!(why(PFX_BLOB, &store, ""), "The password of the store is wrong.");
    }
    assert!(open(PFX_BLOB, &pfx(&made, ""), "").is_ok());
}

#[test]
fn a_pem_store_brings_keys_and_certificates_together() {
    let (a, b) = (make("a.test", KeyType::Ec), make("b.test", KeyType::Ed25519));
    let stranger = make("stranger.test", KeyType::Ec);
    let certificate_of = |made: &Made| String::from_utf8(made.certificate.to_pem().unwrap()).unwrap();
    let pem = certificate_of(&stranger) + &a.pem + &b.pem;
    let store = open(PEM_BLOB, pem.as_bytes(), "").unwrap();
    for made in [&a, &b] {
        let name = made.certificate.subject_name().entries().next().unwrap().data().to_string().unwrap();
        let found = store.by_subject(&format!("CN={name}")).unwrap().unwrap();
        assert!(found.key.unwrap().public_eq(&made.key), "{name}");
        assert!(store.by_certificate(&made.certificate).unwrap().unwrap().key.unwrap().public_eq(&made.key));
    }
    // One with a key comes first, though it is second in the file.
    assert_eq!(subject(&store.by_subject("*").unwrap().unwrap()), "CN=a.test");
    assert!(store.by_subject("CN=stranger.test").unwrap().unwrap().key.is_none());
    assert!(store.by_certificate(&stranger.certificate).unwrap().is_none());
}

#[test]
fn a_subject_is_found_whole_before_in_part() {
    let (long, short) = (make("www.test.example", KeyType::Ec), make("www.test", KeyType::Ec));
    let store = open(PEM_BLOB, (long.pem + &short.pem).as_bytes(), "").unwrap();
    let found = |text: &str| store.by_subject(text).unwrap().map(|found| subject(&found));
    assert_eq!(found("CN=www.test").as_deref(), Some("CN=www.test"));
    assert_eq!(found("WWW.TEST").as_deref(), Some("CN=www.test.example"));
    for nothing in ["CN=www.test.e.", "", " ", "Thumbprint=", "Thumbprint=00"] {
        assert_eq!(found(nothing), None, "{nothing}");
    }
    let hash = describe(&store.by_subject("CN=www.test").unwrap().unwrap()).unwrap().fingerprints;
    for hash in [&hash.md5, &hash.sha1, &hash.sha256] {
        let spaced = hash.as_bytes().chunks(2).map(|c| String::from_utf8_lossy(c).to_uppercase()).collect::<Vec<_>>();
        for text in [hash.clone(), spaced.join(":"), spaced.join(" ")] {
            assert_eq!(found(&format!("THUMBPRINT={text}")).as_deref(), Some("CN=www.test"), "{text}");
        }
        assert_eq!(found(&format!("Thumbprint={}", &hash[..hash.len() - 2])), None);
    }
}

#[test]
fn a_key_of_a_type_nobody_knows_has_its_object_identifier() {
    const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
    let mut der = make("a.test", KeyType::Ed25519).certificate.to_der().unwrap();
    while let Some(at) = memchr::memmem::find(&der, ED25519) {
        der[at + 4] = 0x7f;
    }
    let found = describe(&Selected::certificate(&der).unwrap()).unwrap();
    assert_eq!((&*found.public_key_algorithm, &*found.signature_algorithm), ("1.3.101.127", "1.3.101.127"));
    assert_eq!((found.public_key_length, &*found.public_key, &*found.subject), (0, "", "CN=a.test"));
}

#[test]
fn a_text_within_a_certificate_is_no_pem() {
    const NAME: &[u8] = b"aaaaaaaaaa";
    let mut der = make("aaaaaaaaaa.test", KeyType::Ec).certificate.to_der().unwrap();
    while let Some(at) = memchr::memmem::find(&der, NAME) {
        der[at..at + NAME.len()].copy_from_slice(b"-----BEGIN");
    }
    assert_eq!(subject(&Selected::certificate(&der).unwrap()), "CN=-----BEGIN.test");
}

#[test]
fn stores_have_a_largest_size() {
    let mut store = vec![b'\n'; MAX_STORE - 1200];
    store.extend(make("a.test", KeyType::Ec).pem.into_bytes());
    assert!(store.len() <= MAX_STORE && open(PEM_BLOB, &store, "").is_ok());
    store.resize(MAX_STORE + 1, b'\n');
    assert_eq!(why(PEM_BLOB, &store, ""), "The store is larger than 4 MiB.");
    assert_eq!(why(PEM_BLOB, b"", ""), "The store is empty.");
}

#[test]
fn stores_hold_only_so_many_certificates_and_keys() {
    let made = make("a.test", KeyType::Ed25519);
    let certificate = String::from_utf8(made.certificate.to_pem().unwrap()).unwrap();
    let key = String::from_utf8(made.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    assert!(open(CERTIFICATE_BLOB, certificate.repeat(MAX_CERTIFICATES).as_bytes(), "").is_ok());
    let many = certificate.repeat(MAX_CERTIFICATES + 1);
    assert_eq!(why(CERTIFICATE_BLOB, many.as_bytes(), ""), "The store holds more than 1000 certificates.");
    assert!(open(PEM_BLOB, key.repeat(MAX_KEYS).as_bytes(), "").is_ok());
    assert_eq!(why(PEM_BLOB, key.repeat(MAX_KEYS + 1).as_bytes(), ""), "The store holds more than 100 private keys.");
}

#[test]
fn what_a_key_file_may_cost_is_bounded() {
    let costly = "takes more memory or time than is allowed";
    for (from, to) in [
        ("Argon2-Memory: 1024", "Argon2-Memory: 4294967295"),
        ("Argon2-Memory: 1024", "Argon2-Memory: 99999999999999999999999999"),
        ("Argon2-Passes: 3", "Argon2-Passes: 4294967295"),
    ] {
        let hostile = PPK.replace(from, to);
        assert_ne!(hostile, PPK);
        assert!(why(PPK_BLOB, hostile.as_bytes(), "correct horse").contains(costly), "{to}");
    }
    // The number of bcrypt's rounds, 16, stands behind 16 bytes of salt.
    let mut wire =
        content::base64(OPENSSH.lines().filter(|l| !l.starts_with('-')).collect::<String>().as_bytes()).unwrap();
    let at = memchr::memmem::find(&wire, b"bcrypt").unwrap() + 6 + 4 + 4 + 16;
    wire[at..at + 4].fill(0xff);
    let lines = encode_block(&wire).into_bytes();
    let body: Vec<_> = lines.chunks(70).map(|line| String::from_utf8_lossy(line)).collect();
    let body = body.join("\n");
    let hostile = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{body}\n-----END OPENSSH PRIVATE KEY-----\n");
    assert!(why(PEM_BLOB, hostile.as_bytes(), "correct horse").contains("takes more time than is allowed"));
}

#[test]
fn keys_whose_halves_do_not_fit_are_refused() {
    let point = r#""crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
    let key = |d: &str| format!(r#"{{"kty":"OKP",{point},"d":"{d}"}}"#);
    assert!(open(JWK_BLOB, key("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").as_bytes(), "").is_ok());
    let wrong = why(JWK_BLOB, key("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2B").as_bytes(), "");
    assert!(wrong.contains("fit together") || wrong.contains("no JSON Web Key"), "{wrong}");
    let other = why(JWK_BLOB, key("oWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").as_bytes(), "");
    assert_eq!(other, "The halves of the key do not fit together.");
    let rsa = r#"{"kty":"RSA","n":"Cw","e":"AQAB","d":"Aw","p":"Aw","q":"Aw","dp":"Aw","dq":"Aw","qi":"Aw"}"#;
    assert_eq!(why(JWK_BLOB, rsa.as_bytes(), ""), "The numbers of the RSA key do not fit together.");
    for prime in ["", "AA", "AQ"] {
        let rsa = format!(
            r#"{{"kty":"RSA","n":"{prime}","e":"AQAB","d":"Aw","p":"{prime}","q":"AQ","dp":"","dq":"","qi":""}}"#
        );
        why(JWK_BLOB, rsa.as_bytes(), "");
    }
    why(JWK_BLOB, br#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#, "");
    why(JWK_BLOB, br#"{"kty":"oct","k":"AQ"}"#, "");
}

/// Cut short at every byte, and with single bytes changed: an error or a store, never a panic.
#[test]
fn hostile_stores_are_errors() {
    let made = make("a.test", KeyType::Ec);
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let stores: [(u32, Vec<u8>); 7] = [
        (PFX_BLOB, pfx(&made, "correct horse")),
        (PEM_BLOB, made.pem.clone().into_bytes()),
        (CERTIFICATE_BLOB, made.certificate.to_der().unwrap()),
        (JWK_BLOB, jwk.as_bytes().to_vec()),
        (PPK_BLOB, PPK.as_bytes().to_vec()),
        (10, include_bytes!("../../../test/ipworks/keys/ecdsa.pub").to_vec()),
        (PEM_BLOB, OPENSSH.as_bytes().to_vec()),
    ];
    for (store_type, store) in &stores {
        assert!(open(*store_type, store, "correct horse").is_ok(), "{store_type}");
        let step = (store.len() / 60).max(1);
        for at in (0..store.len()).step_by(step) {
            for kind in [*store_type, AUTO] {
                let _ = open(kind, &store[..at], "correct horse");
                let mut changed = store.clone();
                changed[at] ^= 0x55;
                if let Ok(opened) = open(kind, &changed, "correct horse") {
                    let _ = opened.by_subject("*").unwrap().map(|found| describe(&found));
                }
            }
        }
    }
    for store_type in 0..=100 {
        for junk in
            [&b"\x30\x84\xff\xff\xff\xff"[..], &[0x30; 5000], &[0xff; 100], b"-----BEGIN ", b"{", b"ssh-rsa AAAA"]
        {
            why(store_type, junk, "");
        }
    }
}
