use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::X509;

use crate::credentials::{Identity, IdentitySource, Sandbox, Secret};
use crate::engine::testing::{legacy_pkcs12, Id, Kind};
use crate::error::Result;

const PASSWORD: &[u8] = b"correct horse";

/// A folder, the sandbox over it, and a leaf below an intermediate below a root.
struct Place {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
    root: Id,
    intermediate: Id,
    leaf: Id,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = Id::authority("root");
    let intermediate = Id::intermediate("intermediate", &root);
    let leaf = Id::new("localhost", Kind::Rsa, Some(&intermediate), 30);
    let sandbox = Sandbox::new([("C4Z".to_owned(), folder.path().to_owned())]);
    Place { folder, sandbox, root, intermediate, leaf }
}

#[derive(Default)]
struct Given<'a> {
    certificate: &'a [u8],
    private_key: &'a [u8],
    password: Option<&'a [u8]>,
    chain: &'a [u8],
}

impl Place {
    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn load(&self, given: &Given<'_>) -> Result<Identity> {
        let password = given.password.map(|clear| Secret::seal(clear).unwrap());
        Identity::load(&IdentitySource {
            certificate: given.certificate,
            private_key: given.private_key,
            password: password.as_ref(),
            chain: given.chain,
            sandbox: &self.sandbox,
        })
    }

    fn code(&self, given: &Given<'_>) -> String {
        let error = self.load(given).err().unwrap();
        let shown = format!("{error:?}");
        for secret in [self.folder.path().to_str().unwrap(), "correct horse", "MII"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        error.code.replace("ERR_C4TLS_", "")
    }

    fn pkcs12(&self, password: &str, key_algorithm: Nid) -> Vec<u8> {
        let mut chain = Stack::new().unwrap();
        for id in [&self.root, &self.intermediate] {
            chain.push(id.certificate.clone()).unwrap();
        }
        let mut builder = Pkcs12::builder();
        builder.cert(&self.leaf.certificate).pkey(&self.leaf.key).ca(chain);
        builder.key_algorithm(key_algorithm).cert_algorithm(key_algorithm);
        builder.build2(password).unwrap().to_der().unwrap()
    }
}

/// The identity is the leaf's, with this chain.
fn assert_is(identity: &Identity, leaf: &Id, chain: &[&Id]) {
    assert_eq!(identity.certificate.to_der().unwrap(), leaf.der());
    assert!(identity.key.public_eq(&leaf.key));
    let have: Vec<_> = identity.chain.iter().map(|x| x.to_der().unwrap()).collect();
    assert_eq!(have, chain.iter().map(|id| id.der()).collect::<Vec<_>>());
}

fn joined(ids: &[&Id]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.cert_pem()).collect()
}

#[test]
fn certificates_and_chains_are_text_or_files() {
    let place = place();
    let Place { leaf, intermediate, root, .. } = &place;
    let key = leaf.key_pem();
    let all = joined(&[leaf, intermediate, root]);
    place.write("leaf.pem", &leaf.cert_pem());
    place.write("all.pem", &all);
    place.write("chain.pem", &joined(&[intermediate]));
    for (certificate, chain, expected) in [
        (&leaf.cert_pem()[..], &b""[..], &[][..]),
        (b"leaf.pem", b"", &[]),
        (&all, b"", &[intermediate, root]),
        (b"C4Z:/all.pem", b"", &[intermediate, root]),
        (b"all.pem", b"chain.pem", &[intermediate]),
        (b"leaf.pem", &joined(&[intermediate, root]), &[intermediate, root]),
        // Out of order, twice, and with the leaf itself.
        (b"leaf.pem", &joined(&[root, leaf, intermediate, root]), &[intermediate, root]),
    ] {
        let identity = place.load(&Given { certificate, private_key: &key, chain, ..Given::default() }).unwrap();
        assert_is(&identity, leaf, expected);
    }
    // What hangs below nothing stays.
    let other = Id::authority("other");
    let chain = joined(&[&other, intermediate]);
    let given = Given { certificate: b"leaf.pem", private_key: &key, chain: &chain, ..Given::default() };
    assert_is(&place.load(&given).unwrap(), leaf, &[intermediate, &other]);
}

#[test]
fn pem_may_be_indented_and_have_a_mark_or_text_in_front() {
    let place = place();
    let indented = |pem: Vec<u8>| String::from_utf8(pem).unwrap().replace('\n', "\r\n    ");
    let certificate = format!("\u{feff}{}", indented(place.leaf.cert_pem()));
    let key = format!(
        "the key:\n\t{}",
        indented(place.leaf.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_128_cbc(), PASSWORD).unwrap())
    );
    let given = Given {
        certificate: certificate.as_bytes(),
        private_key: key.as_bytes(),
        password: Some(PASSWORD),
        ..Given::default()
    };
    assert_is(&place.load(&given).unwrap(), &place.leaf, &[]);
}

#[test]
fn keys_of_every_form_are_read() {
    let place = place();
    let root = &place.root;
    let rsa = &place.leaf;
    let ec = &Id::new("ec", Kind::Ec, Some(root), 30);
    let ed = &Id::new("ed", Kind::Ed25519, Some(root), 30);
    let mut forms: Vec<(&Id, Vec<u8>, bool)> = Vec::new();
    for id in [rsa, ec, ed] {
        forms.push((id, id.key.private_key_to_pem_pkcs8().unwrap(), false));
        let sealed = id.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), PASSWORD).unwrap();
        forms.push((id, sealed, true));
    }
    let pkcs1 = rsa.key.rsa().unwrap();
    forms.push((rsa, pkcs1.private_key_to_pem().unwrap(), false));
    forms.push((rsa, pkcs1.private_key_to_pem_passphrase(Cipher::des_ede3_cbc(), PASSWORD).unwrap(), true));
    let sec1 = ec.key.ec_key().unwrap();
    let plain = sec1.private_key_to_pem().unwrap();
    forms.push((ec, plain.clone(), false));
    forms.push((ec, sec1.private_key_to_pem_passphrase(Cipher::aes_128_cbc(), PASSWORD).unwrap(), true));
    // As `openssl ecparam -genkey` writes it.
    let parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    forms.push((ec, [&parameters[..], &plain].concat(), false));

    for (id, pem, encrypted) in &forms {
        let certificate = &id.cert_pem()[..];
        place.write("server.key", pem);
        for private_key in [&pem[..], b"server.key"] {
            let with = |password| Given { certificate, private_key, password, ..Given::default() };
            assert_is(&place.load(&with(Some(PASSWORD))).unwrap(), id, &[]);
            if *encrypted {
                assert_eq!(place.code(&with(None)), "PASSWORD_REQUIRED");
                for wrong in [&b"wrong"[..], b"correct horse ", &[b'a'; 2_000]] {
                    assert_eq!(place.code(&with(Some(wrong))), "WRONG_PASSWORD");
                }
            } else {
                assert_is(&place.load(&with(None)).unwrap(), id, &[]);
            }
        }
        // Beside the certificate.
        let both = [certificate, pem].concat();
        let given = Given { certificate: &both, password: Some(PASSWORD), ..Given::default() };
        assert_is(&place.load(&given).unwrap(), id, &[]);
    }
}

#[test]
fn pkcs12_files_have_everything() {
    let place = place();
    let Place { leaf, intermediate, root, .. } = &place;
    let old = legacy_pkcs12(leaf, "correct horse").unwrap();
    let files = [
        (place.pkcs12("correct horse", Nid::AES_256_CBC), &[intermediate, root][..]),
        (place.pkcs12("correct horse", Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC), &[intermediate, root]),
        (old, &[]),
    ];
    for (file, chain) in files {
        place.write("server.p12", &file);
        let with = |password| Given { certificate: b"server.p12", password, ..Given::default() };
        // The key that stands beside it counts for nothing, not even when there is none.
        let given = Given { private_key: b"missing.key", ..with(Some(PASSWORD)) };
        assert_is(&place.load(&given).unwrap(), leaf, chain);
        let other = joined(&[intermediate]);
        assert_is(&place.load(&Given { chain: &other, ..given }).unwrap(), leaf, &[intermediate]);
        assert_eq!(place.code(&with(None)), "PASSWORD_REQUIRED");
        assert_eq!(place.code(&with(Some(b"wrong"))), "WRONG_PASSWORD");
    }
    place.write("open.p12", &place.pkcs12("", Nid::AES_128_CBC));
    let given = Given { certificate: b"open.p12", ..Given::default() };
    assert_is(&place.load(&given).unwrap(), leaf, &[intermediate, root]);
}

#[test]
fn what_is_wrong_has_a_code() {
    let place = place();
    let (certificate, key) = (&place.leaf.cert_pem()[..], &place.leaf.key_pem()[..]);
    let good = || Given { certificate, private_key: key, ..Given::default() };
    assert_eq!(place.code(&Given { certificate: b"", ..good() }), "NO_CERTIFICATE");
    assert_eq!(place.code(&Given { certificate: key, ..good() }), "NO_CERTIFICATE");
    assert_eq!(place.code(&Given { chain: key, ..good() }), "NO_CERTIFICATE");
    assert_eq!(place.code(&Given { private_key: b"", ..good() }), "NO_PRIVATE_KEY");
    assert_eq!(place.code(&Given { private_key: certificate, ..good() }), "NO_PRIVATE_KEY");
    assert_eq!(place.code(&Given { private_key: &place.root.key_pem(), ..good() }), "KEY_MISMATCH");
    assert_eq!(place.code(&Given { certificate: &place.root.cert_pem(), ..good() }), "KEY_MISMATCH");
    for argument in [&b"../key"[..], b"missing.pem"] {
        let code = if argument.starts_with(b".") { "PATH_REJECTED" } else { "FILE_NOT_FOUND" };
        assert_eq!(place.code(&Given { certificate: argument, ..good() }), code);
        assert_eq!(place.code(&Given { private_key: argument, ..good() }), code);
        assert_eq!(place.code(&Given { chain: argument, ..good() }), code);
    }
    place.write("der", &place.leaf.der());
    place.write("key.der", &place.leaf.key.private_key_to_der().unwrap());
    place.write("empty", b"");
    for name in ["der", "empty"] {
        assert_eq!(place.code(&Given { certificate: name.as_bytes(), ..good() }), "BAD_PKCS12");
        assert_eq!(place.code(&Given { chain: name.as_bytes(), ..good() }), "NO_CERTIFICATE");
    }
    assert_eq!(place.code(&Given { private_key: b"key.der", ..good() }), "BAD_PRIVATE_KEY");

    let cut = |pem: &[u8], count| [&pem[..pem.len() / 2], &pem[pem.len() / 2 + count..]].concat();
    assert_eq!(place.code(&Given { certificate: &cut(certificate, 4), ..good() }), "BAD_CERTIFICATE");
    assert_eq!(place.code(&Given { certificate: &certificate[..certificate.len() / 2], ..good() }), "BAD_CERTIFICATE");
    assert_eq!(place.code(&Given { private_key: &cut(key, 4), ..good() }), "BAD_PRIVATE_KEY");
    assert_eq!(place.code(&Given { private_key: &key[..key.len() / 2], ..good() }), "BAD_PRIVATE_KEY");
    let behind = [certificate, &cut(certificate, 4)].concat();
    assert_eq!(place.code(&Given { certificate: &behind, ..good() }), "BAD_CERTIFICATE");
    assert_eq!(place.code(&Given { chain: &behind, ..good() }), "BAD_CERTIFICATE");
    let file = place.pkcs12("", Nid::AES_128_CBC);
    for length in (0..file.len()).step_by(50) {
        place.write("cut.p12", &file[..length]);
        assert_eq!(place.code(&Given { certificate: b"cut.p12", ..good() }), "BAD_PKCS12");
    }
}

#[test]
fn a_pkcs12_file_needs_the_certificate_of_its_key() {
    let place = place();
    let build = |key: &PKey<Private>, certificate: Option<&X509>| {
        let mut builder = Pkcs12::builder();
        builder.pkey(key);
        let mut chain = Stack::new().unwrap();
        chain.push(place.root.certificate.clone()).unwrap();
        builder.ca(chain);
        if let Some(certificate) = certificate {
            builder.cert(certificate);
        }
        builder.build2("").unwrap().to_der().unwrap()
    };
    place.write("no-certificate.p12", &build(&place.leaf.key, None));
    let given = Given { certificate: b"no-certificate.p12", ..Given::default() };
    assert_eq!(place.code(&given), "NO_CERTIFICATE");
}
