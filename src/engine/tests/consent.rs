//! The owner of a server judges the client: its offer, and its certificate.

use crate::engine::testing::*;
use crate::engine::{Answer, Context, Forgive, Handshake, Question, Role, SessionConfig, SessionEvent, Verify};

fn asking() -> SessionConfig {
    let mut sc = config(Role::Server);
    sc.verify = Verify { request: true, require: false, optional: false };
    sc.hooks.client_certificate = true;
    sc
}

fn server_for(ca: &Id) -> Context {
    let context = server_context(&Id::new("localhost", Kind::Ec, Some(ca), 30));
    context.add_ca_cert(&ca.cert_pem()).unwrap();
    context
}

fn client_of(ca: &Id, version: u16, id: Option<&Id>) -> Context {
    let context = client_context(ca, version, version);
    if let Some(id) = id {
        context.set_cert(&id.cert_pem()).unwrap();
        context.set_key(&id.key_pem(), None).unwrap();
    }
    context
}

fn asked(s: &mut Peer) -> (bool, Option<String>) {
    match s.events.pop() {
        Some(SessionEvent::Question(Question::ClientCertificate { present, fault })) => {
            (present, fault.map(|f| f.code.into_owned()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_handshake_is_done_when_the_owner_consents() {
    let ca = Id::authority("ca");
    let server = server_for(&ca);
    let good = Id::new("good", Kind::Ec, Some(&ca), 30);
    let expired = Id::new("expired", Kind::Rsa, Some(&ca), -1);
    for version in [TLS1_2, TLS1_3] {
        for (id, expected) in [
            (Some(&good), (true, None)),
            (Some(&expired), (true, Some("CERT_HAS_EXPIRED".to_owned()))),
            (None, (false, Some("UNABLE_TO_GET_ISSUER_CERT".to_owned()))),
        ] {
            let mut s = Peer::new(&server, asking());
            let mut c = Peer::new(&client_of(&ca, version, id), config(Role::Client));
            talk_in_pieces(&mut c, &mut s, 7);
            assert_eq!((asked(&mut s), s.state), (expected, Handshake::Parked));
            assert!(!s.events.contains(&SessionEvent::HandshakeDone));
            // Below TLS 1.3 the client waits for our last flight.
            assert_eq!(c.state == Handshake::Done, version == TLS1_3);
            let sent = s.step(&[]);
            assert_eq!((s.state, sent.len()), (Handshake::Parked, 0));

            s.session.answer(Answer::ClientCertificate(true)).unwrap();
            assert!(s.session.answer(Answer::ClientCertificate(true)).is_err());
            talk(&mut c, &mut s);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            assert_eq!((s.state, c.state), (Handshake::Done, Handshake::Done));
            assert_eq!(s.events.iter().filter(|e| **e == SessionEvent::HandshakeDone).count(), 1);
            c.session.write(b"hello").unwrap();
            talk(&mut c, &mut s);
            s.session.write(b"there").unwrap();
            talk(&mut s, &mut c);
            assert_eq!((&s.clear[..], &c.clear[..]), (&b"hello"[..], &b"there"[..]));
            assert_eq!(s.session.peer_chain().is_empty(), id.is_none());
        }
    }
}

#[test]
fn a_client_that_is_refused_gets_an_alert() {
    let ca = Id::authority("ca");
    let server = server_for(&ca);
    let id = Id::new("good", Kind::Ec, Some(&ca), 30);
    for version in [TLS1_2, TLS1_3] {
        let mut s = Peer::new(&server, asking());
        let mut c = Peer::new(&client_of(&ca, version, Some(&id)), config(Role::Client));
        talk(&mut c, &mut s);
        asked(&mut s);
        s.session.answer(Answer::ClientCertificate(false)).unwrap();
        talk(&mut c, &mut s);
        assert_eq!(s.code(), Some("ERR_C4TLS_CLIENT_CERTIFICATE"));
        assert!(!s.events.contains(&SessionEvent::HandshakeDone));
        let code = c.code().unwrap();
        assert!(code.ends_with("_BAD_CERTIFICATE"), "{version:x} {code}");
    }
}

#[test]
fn faults_that_are_forgiven_do_not_count() {
    let (ca, other) = (Id::authority("ca"), Id::authority("other"));
    let server = server_for(&ca);
    let expired = Id::new("expired", Kind::Ec, Some(&ca), -1);
    let strange = Id::new("strange", Kind::Ec, Some(&other), 30);
    let both = Id::new("both", Kind::Ec, Some(&other), -1);
    let time = Forgive { time: true, ..Forgive::default() };
    let authority = Forgive { authority: true, ..Forgive::default() };
    let all = Forgive { time: true, authority: true, usage: true };
    for (id, forgive, fault) in [
        (&expired, Forgive::default(), Some("CERT_HAS_EXPIRED")),
        (&expired, time, None),
        (&expired, authority, Some("CERT_HAS_EXPIRED")),
        (&strange, time, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")),
        (&strange, authority, None),
        // The fault that counts is not lost behind the one that does not.
        (&both, time, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")),
        (&both, authority, Some("CERT_HAS_EXPIRED")),
        (&both, all, None),
    ] {
        let mut s = Peer::new(&server, SessionConfig { forgive, ..asking() });
        let mut c = Peer::new(&client_of(&ca, TLS1_3, Some(id)), config(Role::Client));
        talk(&mut c, &mut s);
        assert_eq!(asked(&mut s), (true, fault.map(str::to_owned)), "{forgive:?}");
    }
}

#[test]
fn the_offer_of_a_client_can_be_seen() {
    let ca = Id::authority("ca");
    let server = server_for(&ca);
    let mut sc = config(Role::Server);
    (sc.hooks.certificate, sc.hooks.offer) = (true, true);
    let client = client_context(&ca, TLS1_2, TLS1_3);
    client.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305").unwrap();
    client.set_cipher_suites("TLS_AES_256_GCM_SHA384").unwrap();
    client.set_sigalgs("RSA-PSS+SHA256:ECDSA+SHA384:ed25519").unwrap();
    let mut s = Peer::new(&server, sc);
    let mut c = Peer::new(&client, config(Role::Client));
    talk(&mut c, &mut s);
    let Some(SessionEvent::Question(Question::Certificate { offer: Some(offer), .. })) = s.events.pop() else {
        panic!("{:?}", s.events)
    };
    let known = ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    assert!(known.iter().all(|name| offer.suites.iter().any(|suite| suite == name)), "{offer:?}");
    let names = ["rsa_pss_rsae_sha256", "ecdsa_secp384r1_sha384", "ed25519"];
    assert_eq!(offer.signature_algorithms, names);
}

#[test]
fn what_was_negotiated_can_be_read_on_both_sides() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Rsa, Some(&ca), 30));
    server.set_dh_auto().unwrap();
    for (version, suite, group, name, bits, key) in [
        (TLS1_3, "TLS_AES_256_GCM_SHA384", "X25519", "x25519", Some(253), 256),
        (TLS1_3, "TLS_AES_128_GCM_SHA256", "P-384", "secp384r1", Some(384), 128),
        (TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256", "P-256", "secp256r1", Some(256), 128),
        (TLS1_2, "AES256-GCM-SHA384", "P-256", "RSA", None, 256),
        (TLS1_2, "DHE-RSA-AES128-GCM-SHA256", "P-256", "DHE", None, 128),
    ] {
        let client = client_context(&ca, version, version);
        match version {
            TLS1_3 => client.set_cipher_suites(suite).unwrap(),
            _ => client.set_ciphers(suite).unwrap(),
        }
        client.set_ecdh_curve(group).unwrap();
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client, config(Role::Client));
        talk(&mut c, &mut s);
        for side in [&s, &c] {
            let found = side.session.key_exchange().unwrap();
            assert_eq!((&found.name[..], found.bits), (name, bits), "{suite} {group}");
            assert_eq!(side.session.cipher().unwrap().bits, key);
        }
        assert_eq!(s.settled, version == TLS1_3);
    }
}

#[test]
fn without_sessions_nothing_is_resumed() {
    let ca = Id::authority("ca");
    let server = server_for(&ca);
    server.disable_sessions().unwrap();
    for version in [TLS1_2, TLS1_3] {
        let client = client_context(&ca, version, version);
        let mut s = Peer::new(&server, config(Role::Server));
        let mut cc = config(Role::Client);
        cc.hooks.sessions = true;
        let mut c = Peer::new(&client, cc);
        talk(&mut c, &mut s);
        let tickets = c.events.iter().filter(|e| matches!(e, SessionEvent::NewSession { .. })).count();
        assert_eq!((tickets, c.session.session_ticket()), (0, None), "{version:x}");
    }
}
