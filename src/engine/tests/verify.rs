//! Certificates, good and bad.

use crate::engine::testing::*;
use crate::engine::{Context, Handshake, Role, Verify};

const REQUEST: Verify = Verify { request: true, require: false, optional: false };
const REQUIRE: Verify = Verify { request: true, require: true, optional: false };
const OPTIONAL: Verify = Verify { request: true, require: true, optional: true };

/// A server that trusts `ca` for its clients.
fn server(ca: &Id, id: &Id) -> Context {
    let context = server_context(id);
    context.add_ca_cert(&ca.cert_pem()).unwrap();
    context
}

fn run(server: &Context, verify: Verify, client: &Context) -> (Peer, Peer) {
    let mut sc = config(Role::Server);
    sc.verify = verify;
    let mut s = Peer::new(server, sc);
    let mut c = Peer::new(client, config(Role::Client));
    talk(&mut c, &mut s);
    (c, s)
}

fn client_with(ca: &Id, version: u16, id: Option<&Id>) -> Context {
    let context = client_context(ca, version, version);
    if let Some(id) = id {
        context.set_cert(&id.cert_pem()).unwrap();
        context.set_key(&id.key_pem(), None).unwrap();
    }
    context
}

#[test]
fn a_required_client_certificate_is_checked_inside_the_handshake() {
    let ca = Id::authority("ca");
    let other = Id::authority("another ca");
    let server = server(&ca, &Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let good = Id::new("good", Kind::Rsa, Some(&ca), 30);
    let expired = Id::new("expired", Kind::Ec, Some(&ca), -1);
    let untrusted = Id::new("untrusted", Kind::Ec, Some(&other), 30);
    let lonely = Id::authority("self-signed");

    for version in [TLS1_2, TLS1_3] {
        let (c, s) = run(&server, REQUIRE, &client_with(&ca, version, Some(&good)));
        assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
        assert_eq!(s.session.verify_error(), None);
        assert_eq!(s.session.peer_chain(), [good.der(), ca.der()]);
        assert_eq!(c.session.certificate(), Some(good.der()));

        let refused = [
            (None, "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", if version == TLS1_2 { 40 } else { 116 }),
            (Some(&expired), "CERT_HAS_EXPIRED", 45),
            (Some(&untrusted), "UNABLE_TO_VERIFY_LEAF_SIGNATURE", 48),
            (Some(&lonely), "DEPTH_ZERO_SELF_SIGNED_CERT", 48),
        ];
        for (id, code, alert) in refused {
            let (c, s) = run(&server, REQUIRE, &client_with(&ca, version, id));
            assert_eq!(s.code(), Some(code), "{version:x}");
            let told = s.session.verify_error().map(|e| e.code);
            assert_eq!(told.as_deref(), Some(if id.is_some() { code } else { "UNABLE_TO_GET_ISSUER_CERT" }));
            let named = match alert {
                40 => "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
                45 => "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED",
                48 => "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
                _ => "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
            };
            assert_eq!(c.code(), Some(named), "{code}");
            assert!(c.error.as_ref().unwrap().message.contains(&format!("SSL alert number {alert}")));
            if version == TLS1_2 {
                assert_eq!(s.alert(), Some(alert));
            }
        }
    }
}

#[test]
fn an_optional_client_certificate_is_checked_when_it_comes() {
    let ca = Id::authority("ca");
    let server = server(&ca, &Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let good = Id::new("good", Kind::Ec, Some(&ca), 30);
    let expired = Id::new("expired", Kind::Ec, Some(&ca), -1);
    for version in [TLS1_2, TLS1_3] {
        for (id, code) in [(None, None), (Some(&good), None), (Some(&expired), Some("CERT_HAS_EXPIRED"))] {
            let client = client_with(&ca, version, id);
            let (c, s) = run(&server, OPTIONAL, &client);
            assert_eq!(s.code(), code, "{version:x}");
            if code.is_some() {
                assert_eq!(c.code(), Some("ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED"));
                continue;
            }
            // Resumed, it has or lacks the same certificate, and is as welcome.
            let (mut sc, mut cc) = (config(Role::Server), config(Role::Client));
            sc.verify = OPTIONAL;
            cc.session = c.session.session();
            let (mut s, mut c) = (Peer::new(&server, sc), Peer::new(&client, cc));
            talk(&mut c, &mut s);
            assert_eq!((s.code(), s.session.session_reused()), (None, true), "{version:x}");
        }
    }
}

#[test]
fn a_requested_client_certificate_is_only_told_of() {
    let ca = Id::authority("ca");
    let server = server(&ca, &Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let untrusted = Id::new("untrusted", Kind::Ec, Some(&Id::authority("another ca")), 30);
    for version in [TLS1_2, TLS1_3] {
        for (id, code) in [(None, "UNABLE_TO_GET_ISSUER_CERT"), (Some(&untrusted), "UNABLE_TO_VERIFY_LEAF_SIGNATURE")] {
            let (c, s) = run(&server, REQUEST, &client_with(&ca, version, id));
            assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
            assert_eq!(s.session.verify_error().unwrap().code, code);
        }
        let (_, s) = run(&server, Verify::default(), &client_with(&ca, version, Some(&untrusted)));
        assert_eq!(s.session.peer_chain(), Vec::<Vec<u8>>::new());
    }
}

#[test]
fn a_client_tells_what_is_wrong_and_goes_on() {
    let ca = Id::authority("ca");
    let other = Id::authority("another ca");
    let cases = [
        (Id::new("localhost", Kind::Ec, Some(&ca), 30), None),
        (Id::new("localhost", Kind::Ec, Some(&ca), -1), Some("CERT_HAS_EXPIRED")),
        (Id::new("localhost", Kind::Ec, Some(&other), 30), Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")),
        (Id::authority("localhost"), Some("DEPTH_ZERO_SELF_SIGNED_CERT")),
    ];
    for (id, code) in cases {
        let server = server_context(&id);
        for version in [TLS1_2, TLS1_3] {
            let (c, s) = run(&server, Verify::default(), &client_with(&ca, version, None));
            assert_eq!((c.state, s.state), (Handshake::Done, Handshake::Done));
            assert_eq!(c.session.verify_error().map(|e| e.code).as_deref(), code);
        }
    }
}

#[test]
fn a_chain_is_sent_whole_and_shown_in_order() {
    let ca = Id::authority("ca");
    let middle = Id::intermediate("middle", &ca);
    let leaf = Id::new("localhost", Kind::Ec, Some(&middle), 30);
    let server = server_context(&leaf);
    server.set_cert(&[leaf.cert_pem(), middle.cert_pem()].concat()).unwrap();
    server.set_key(&leaf.key_pem(), None).unwrap();
    assert_eq!(server.certificate(), Some(leaf.der()));
    assert_eq!(server.issuer(), Some(middle.der()));
    for version in [TLS1_2, TLS1_3] {
        let (c, _) = run(&server, Verify::default(), &client_with(&ca, version, None));
        assert_eq!(c.session.verify_error(), None);
        assert_eq!(c.session.peer_chain(), [leaf.der(), middle.der(), ca.der()]);
    }
}

#[test]
fn a_chain_may_end_at_a_trusted_intermediate_where_that_is_allowed() {
    let ca = Id::authority("ca");
    let middle = Id::intermediate("middle", &ca);
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&middle), 30));
    let client = client_context(&middle, 0, 0);
    let (c, _) = run(&server, Verify::default(), &client);
    assert_eq!(c.session.verify_error().unwrap().code, "UNABLE_TO_GET_ISSUER_CERT");
    client.set_allow_partial_trust_chain().unwrap();
    let (c, _) = run(&server, Verify::default(), &client);
    assert_eq!(c.session.verify_error(), None);
}

#[test]
fn a_change_of_mode_before_the_handshake_counts() {
    let ca = Id::authority("ca");
    let server = server(&ca, &Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let mut s = Peer::new(&server, config(Role::Server));
    s.session.set_verify(REQUIRE).unwrap();
    let mut c = Peer::new(&client_with(&ca, TLS1_2, None), config(Role::Client));
    talk(&mut c, &mut s);
    assert_eq!(s.code(), Some("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"));
}
