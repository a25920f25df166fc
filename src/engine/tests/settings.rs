//! What a context is told.

use openssl::pkcs12::Pkcs12;
use openssl::symm::Cipher;

use crate::credentials::{LegacyPkcs12, Secret};
use crate::engine::testing::*;
use crate::engine::{
    cipher_names, has_root_store, openssl_version, set_root_store, Compression, Context, Role, RootStore,
};

fn new() -> Context {
    Context::new(None, 0, 0).unwrap()
}

fn secret(text: &str) -> Secret {
    Secret::new(text.into()).unwrap()
}

#[test]
fn method_names_fix_the_versions() {
    for (name, min, max) in [
        (None, 0x0302, 0x0304),
        (Some("SSLv23_method"), 0x0302, 0x0303),
        (Some("SSLv23_server_method"), 0x0302, 0x0303),
        (Some("TLS_method"), 0, 0x0304),
        (Some("TLS_client_method"), 0, 0x0304),
        (Some("TLSv1_method"), 0x0301, 0x0301),
        (Some("TLSv1_1_server_method"), 0x0302, 0x0302),
        (Some("TLSv1_2_client_method"), 0x0303, 0x0303),
    ] {
        let context = Context::new(name, 0x0302, 0).unwrap();
        assert_eq!((context.min_proto(), context.max_proto()), (min, max), "{name:?}");
    }
    for (name, message) in [
        ("SSLv2_method", "SSLv2 methods disabled"),
        ("SSLv2_client_method", "SSLv2 methods disabled"),
        ("SSLv3_server_method", "SSLv3 methods disabled"),
        ("xyzzy", "Unknown method: xyzzy"),
        ("TLSv1_3_method", "Unknown method: TLSv1_3_method"),
        ("_method", "Unknown method: _method"),
    ] {
        let error = Context::new(Some(name), 0, 0).err().unwrap();
        assert_eq!((&*error.code, &*error.message), ("ERR_TLS_INVALID_PROTOCOL_METHOD", message));
    }
}

#[test]
fn suites_that_hide_nothing_are_never_negotiated() {
    assert_eq!(new().set_ciphers("no-such-cipher").unwrap_err().code, "ERR_SSL_NO_CIPHER_MATCH");
    for list in ["", "DEFAULT", "ALL:@SECLEVEL=0", "AES128-SHA", "PSK", "HIGH:!MD5"] {
        new().set_ciphers(list).unwrap();
    }
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let run = |list: &str| {
        let server = server_context(&id);
        let client = client_context(&ca, TLS1_2, TLS1_2);
        for context in [&server, &client] {
            context.set_ciphers(list).unwrap();
        }
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client, config(Role::Client));
        talk(&mut c, &mut s);
        c
    };
    let name = run("ALL:COMPLEMENTOFALL:@SECLEVEL=0").session.cipher().unwrap().name;
    assert!(!name.contains("NULL") && !name.contains("ADH"), "{name}");
    for list in
        ["NULL@SECLEVEL=0", "aNULL@SECLEVEL=0", "ADH:@SECLEVEL=0", "AECDH-NULL-SHA@SECLEVEL=0", "eNULL:aNULL", ""]
    {
        assert_eq!(run(list).code(), Some("ERR_SSL_NO_CIPHERS_AVAILABLE"), "{list}");
    }
}

#[test]
fn bad_lists_have_nodes_errors() {
    assert_eq!(new().set_cipher_suites("TLS_NO_SUCH").unwrap_err().code, "ERR_SSL_NO_CIPHER_MATCH");
    assert!(new().set_sigalgs("no-such+alg").is_err());
    new().set_sigalgs("ECDSA+SHA256:RSA-PSS+SHA256").unwrap();
    let error = new().set_ecdh_curve("no-such-curve").unwrap_err();
    assert_eq!((&*error.code, &*error.message), ("ERR_CRYPTO_OPERATION_FAILED", "Failed to set ECDH curve"));
    new().set_ecdh_curve("auto").unwrap();
    new().set_ecdh_curve("P-256:X25519").unwrap();
    assert_eq!(new().set_ciphers("a\0b").unwrap_err().code, "ERR_INVALID_ARG_VALUE");
    let error = new().set_session_id_context(&"x".repeat(33)).unwrap_err();
    assert_eq!(error.reason.as_deref(), Some("ssl session id context too long"));
}

#[test]
fn a_key_has_to_fit_its_certificate() {
    let (one, two) = (Id::authority("one"), Id::authority("two"));
    let context = new();
    context.set_cert(&one.cert_pem()).unwrap();
    assert_eq!(context.set_key(&two.key_pem(), None).unwrap_err().code, "ERR_OSSL_X509_KEY_VALUES_MISMATCH");
    context.set_key(&one.key_pem(), None).unwrap();
}

#[test]
fn encrypted_keys_need_their_passphrase() {
    let id = Id::authority("one");
    let pem = id.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"right").unwrap();
    let context = new();
    context.set_cert(&id.cert_pem()).unwrap();
    context.set_key(&pem, Some(&secret("right"))).unwrap();
    assert_eq!(context.set_key(&pem, Some(&secret("wrong"))).unwrap_err().code, "ERR_OSSL_BAD_DECRYPT");
    let error = context.set_key(&pem, None).unwrap_err();
    assert_eq!(error.code, "ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED");
}

#[test]
fn unreadable_pem_is_an_error() {
    for (junk, code) in [
        (&b""[..], "ERR_OSSL_PEM_NO_START_LINE"),
        (b"junk", "ERR_OSSL_PEM_NO_START_LINE"),
        (b"-----BEGIN CERTIFICATE-----\n", "ERR_OSSL_PEM_BAD_END_LINE"),
    ] {
        assert_eq!(new().set_cert(junk).unwrap_err().code, code);
    }
    assert!(new().set_key(b"junk", None).is_err());
    let error = new().add_crl(b"junk").unwrap_err();
    assert_eq!((&*error.code, &*error.message), ("ERR_CRYPTO_OPERATION_FAILED", "Failed to parse CRL"));
    // Node passes over what is no certificate here, and does not complain.
    new().add_ca_cert(b"junk").unwrap();
}

#[test]
fn each_key_type_keeps_its_certificate() {
    let ca = Id::authority("ca");
    let ec = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let rsa = Id::new("localhost", Kind::Rsa, Some(&ca), 30);
    let server = server_context(&ec);
    server.set_cert(&rsa.cert_pem()).unwrap();
    server.set_key(&rsa.key_pem(), None).unwrap();
    // The second server gets both through a name.
    let named = new();
    named.set_session_id_context("x").unwrap();
    for (ciphers, expected) in [("ECDHE-ECDSA-AES128-GCM-SHA256", &ec), ("ECDHE-RSA-AES128-GCM-SHA256", &rsa)] {
        for through_name in [false, true] {
            let client = client_context(&ca, TLS1_2, TLS1_2);
            client.set_ciphers(ciphers).unwrap();
            let mut s = Peer::new(if through_name { &named } else { &server }, config(Role::Server));
            if through_name {
                s.session.set_key_cert(&server).unwrap();
            }
            let mut c = Peer::new(&client, config(Role::Client));
            talk(&mut c, &mut s);
            assert_eq!(c.session.peer_chain().first(), Some(&expected.der()), "{:?}", s.error);
        }
    }
}

#[test]
fn a_change_counts_for_later_sessions_and_keeps_the_rest() {
    let ca = Id::authority("ca");
    let (one, two) = (Id::new("one", Kind::Ec, Some(&ca), 30), Id::new("two", Kind::Ec, Some(&ca), 30));
    let server = server_context(&one);
    let client = client_context(&ca, TLS1_2, TLS1_2);
    let mut before = Peer::new(&server, config(Role::Server));
    server.set_cert(&two.cert_pem()).unwrap();
    server.set_key(&two.key_pem(), None).unwrap();
    server.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256").unwrap();
    let mut after = Peer::new(&server, config(Role::Server));
    for (s, id, suite) in
        [(&mut before, &one, "ECDHE-ECDSA-AES256-GCM-SHA384"), (&mut after, &two, "ECDHE-ECDSA-AES128-GCM-SHA256")]
    {
        let mut c = Peer::new(&client, config(Role::Client));
        talk(&mut c, s);
        assert_eq!(c.session.peer_chain()[0], id.der());
        assert_eq!(c.session.cipher().unwrap().name, suite);
    }
}

#[test]
fn contexts_change_while_other_threads_use_them() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let client = client_context(&ca, 0, 0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..40 {
                    let mut s = Peer::new(&server, config(Role::Server));
                    let mut c = Peer::new(&client, config(Role::Client));
                    talk(&mut c, &mut s);
                    assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
                }
            });
        }
        scope.spawn(|| {
            for i in 0..40u8 {
                server.set_ciphers("HIGH").unwrap();
                server.add_ca_cert(&ca.cert_pem()).unwrap();
                server.set_ticket_keys(&[i; 48]).unwrap();
                client.set_ciphers("DEFAULT").unwrap();
            }
        });
    });
}

#[test]
fn pkcs12_files_are_read_with_nodes_errors() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Rsa, Some(&ca), 30);
    let mut chain = openssl::stack::Stack::new().unwrap();
    chain.push(ca.certificate.clone()).unwrap();
    let file = Pkcs12::builder().cert(&id.certificate).pkey(&id.key).ca(chain).build2("right").unwrap();
    let der = file.to_der().unwrap();

    let server = new();
    server.load_pkcs12(&der, Some(&secret("right")), LegacyPkcs12::Refuse).unwrap();
    assert_eq!((server.certificate(), server.issuer()), (Some(id.der()), Some(ca.der())));
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client_context(&ca, 0, 0), config(Role::Client));
    talk(&mut c, &mut s);
    assert_eq!(c.session.peer_chain(), [id.der(), ca.der()]);

    let message =
        |der: &[u8], pass: Option<&Secret>| new().load_pkcs12(der, pass, LegacyPkcs12::Refuse).unwrap_err().message;
    assert_eq!(message(&der, Some(&secret("wrong"))), "mac verify failure");
    assert_eq!(message(&der, None), "mac verify failure");
    assert_eq!(message(&[], None), "not enough data");
    assert_eq!(message(b"short", None), "not enough data");
}

#[test]
fn pkcs12_files_of_old_tools_are_read_where_the_caller_says_so() {
    let id = Id::new("localhost", Kind::Rsa, Some(&Id::authority("ca")), 30);
    let Some(der) = legacy_pkcs12(&id, "old") else { panic!("no legacy provider in this OpenSSL") };
    let context = new();
    let refused = context.load_pkcs12(&der, Some(&secret("old")), LegacyPkcs12::Refuse).unwrap_err();
    assert_eq!(
        (&*refused.code, &*refused.message),
        ("ERR_CRYPTO_UNSUPPORTED_OPERATION", "Unsupported PKCS12 PFX data")
    );
    assert_eq!(context.certificate(), None);
    let read = |context: &Context, password| {
        context.load_pkcs12(&der, Some(&secret(password)), LegacyPkcs12::Read).map_err(|e| e.message)
    };
    assert_eq!(read(&context, "old"), Ok(()));
    assert_eq!(context.certificate(), Some(id.der()));
    assert_eq!(read(&new(), "no"), Err("mac verify failure".to_owned()));
}

#[test]
fn diffie_hellman_parameters_have_a_least_size() {
    let pem = |bits| openssl::dh::Dh::generate_params(bits, 2).unwrap().params_to_pem().unwrap();
    let error = new().set_dh_param(&pem(512)).unwrap_err();
    assert_eq!((&*error.code, &*error.message), ("ERR_INVALID_ARG_VALUE", "DH parameter is less than 1024 bits"));
    assert_eq!(new().set_dh_param(b"junk").unwrap(), None);
    new().set_dh_auto().unwrap();
    let weak = new();
    weak.set_ciphers("DEFAULT:@SECLEVEL=0").unwrap();
    assert_eq!(weak.set_dh_param(&pem(1024)).unwrap(), Some("DH parameter is less than 2048 bits"));
}

#[test]
fn the_root_store_is_shared_until_something_is_added() {
    let (root, extra) = (Id::authority("root"), Id::authority("extra"));
    let pem = String::from_utf8(root.cert_pem()).unwrap();
    set_root_store([&*pem]).unwrap();
    assert!(has_root_store());
    let (plain, more) = (new(), new());
    for context in [&plain, &more] {
        context.add_root_certs().unwrap();
    }
    more.add_ca_cert(&extra.cert_pem()).unwrap();
    for (context, ca, trusted) in
        [(&plain, &root, true), (&plain, &extra, false), (&more, &root, true), (&more, &extra, true)]
    {
        let server = server_context(&Id::new("localhost", Kind::Ec, Some(ca), 30));
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(context, config(Role::Client));
        talk(&mut c, &mut s);
        assert_eq!(c.session.verify_error().is_none(), trusted);
    }
    assert!(set_root_store(["junk"]).is_err());
}

#[test]
fn names_and_version_are_known() {
    let names = cipher_names().unwrap();
    for name in ["tls_aes_256_gcm_sha384", "ecdhe-rsa-aes128-gcm-sha256", "aes128-sha"] {
        assert!(names.iter().any(|n| n == name), "{name}");
    }
    assert!(names.is_sorted());
    assert!(openssl_version().starts_with("3."), "{}", openssl_version());
}

#[test]
fn a_root_store_has_each_certificate_once() {
    let make = || crate::credentials::generate_certificate(&["a".to_owned()], 1, Default::default()).unwrap().cert;
    let (one, other) = (make(), make());
    let both = format!("{one}{other}");
    let store = RootStore::new([one.as_bytes(), both.as_bytes()]).unwrap();
    assert_eq!(store.certificates().unwrap(), [one.clone(), other]);
    new().use_roots(&store).unwrap();

    assert!(RootStore::new([]).unwrap().certificates().unwrap().is_empty());
    let none = RootStore::new([b"nonsense".as_slice()]).err().unwrap();
    assert_eq!(none.code, "ERR_CRYPTO_OPERATION_FAILED");
    let broken = format!("{one}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert!(RootStore::new([broken.as_bytes()]).is_err());
}

#[test]
fn certificate_compression_is_what_openssl_has() {
    let available = Compression::available();
    for algorithm in [Compression::Zlib, Compression::Brotli, Compression::Zstd] {
        assert_eq!(Compression::from_name(algorithm.name()), Some(algorithm));
        let set = new().set_certificate_compression(&[algorithm]);
        assert_eq!(set.is_ok(), available.contains(&algorithm));
        if set.is_ok() {
            let twice = new().set_certificate_compression(&[algorithm, algorithm]).unwrap_err();
            assert_eq!(twice.code, "ERR_CRYPTO_OPERATION_FAILED");
        }
    }
}
