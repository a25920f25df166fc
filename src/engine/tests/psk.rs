//! Pre-shared keys.

use crate::engine::testing::*;
use crate::engine::{Answer, Context, Handshake, Question, Role, SessionConfig, SessionEvent, SharedKey};

const ALL: &str = "PSK:!eNULL:@SECLEVEL=0";

/// Without a certificate: a client's and a server's.
fn contexts(version: u16, ciphers: &str) -> [Context; 2] {
    let [client, server] = [(), ()].map(|()| {
        let context = Context::new(None, version, version).unwrap();
        context.set_ciphers(ciphers).unwrap();
        context.set_cipher_suites("TLS_AES_128_GCM_SHA256").unwrap();
        context
    });
    server.set_session_id_context("test").unwrap();
    [client, server]
}

fn peers([client, server]: &[Context; 2]) -> (Peer, Peer) {
    (Peer::new(client, with_keys(Role::Client)), Peer::new(server, with_keys(Role::Server)))
}

fn with_keys(role: Role) -> SessionConfig {
    let mut config = config(role);
    config.hooks.psk = true;
    config.hooks.sessions = role == Role::Client;
    config
}

fn key(identity: &str, key: &[u8]) -> Option<SharedKey> {
    Some(SharedKey { identity: identity.into(), key: key.to_vec().into() })
}

/// Lets the two talk, a client that has `ours` and a server that knows `theirs`, every question answered. Gives what
/// either was asked: identities, hints.
fn shake(
    c: &mut Peer,
    s: &mut Peer,
    ours: (&str, &[u8]),
    theirs: (&str, &[u8]),
    piece: usize,
) -> (Vec<Vec<String>>, Vec<Option<String>>) {
    let (mut identities, mut hints) = (Vec::new(), Vec::new());
    loop {
        talk_in_pieces(c, s, piece);
        let mut parked = false;
        for event in c.events.iter().chain(&s.events) {
            match event {
                SessionEvent::Question(Question::PskHint { hint }) => {
                    hints.push(hint.clone());
                    assert_eq!(c.state, Handshake::Parked);
                    c.session.answer(Answer::Psk(key(ours.0, ours.1))).unwrap();
                    parked = true;
                }
                SessionEvent::Question(Question::PskIdentities { identities: asked }) => {
                    identities.push(asked.clone());
                    assert_eq!(s.state, Handshake::Parked);
                    let known = asked.iter().any(|one| one == theirs.0);
                    s.session.answer(Answer::Psk(known.then(|| key(theirs.0, theirs.1)).flatten())).unwrap();
                    parked = true;
                }
                _ => {}
            }
        }
        let question = |event: &SessionEvent| matches!(event, SessionEvent::Question(_));
        c.events.retain(|event| !question(event));
        s.events.retain(|event| !question(event));
        if !parked {
            return (identities, hints);
        }
    }
}

fn carries_data(c: &mut Peer, s: &mut Peer) {
    assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
    assert_eq!((c.state, s.state), (Handshake::Done, Handshake::Done));
    c.session.write(b"ping").unwrap();
    talk(c, s);
    s.session.write(b"pong").unwrap();
    talk(c, s);
    assert_eq!((&s.clear[..], &c.clear[..]), (&b"ping"[..], &b"pong"[..]));
    assert_eq!(c.session.verify_error(), None);
}

#[test]
fn both_sides_find_their_key_in_tls_13() {
    let contexts = contexts(TLS1_3, "DEFAULT");
    for piece in [1, usize::MAX] {
        let (mut c, mut s) = peers(&contexts);
        let (identities, hints) = shake(&mut c, &mut s, ("me", b"secret"), ("me", b"secret"), piece);
        assert_eq!((identities, hints), (vec![vec!["me".to_owned()]], vec![None]));
        // The record layer of our own takes over all the same.
        assert!(s.settled);
        carries_data(&mut c, &mut s);
        assert_eq!((c.session.peer_chain().len(), s.session.certificate()), (0, None));
        assert_eq!(s.session.verify_error(), None);
    }
}

#[test]
fn both_sides_find_their_key_with_every_kind_of_suite_in_tls_12() {
    let rsa = Id::new("localhost", Kind::Rsa, None, 30);
    for (suite, hint) in [
        ("PSK-AES128-GCM-SHA256", None),
        ("PSK-AES256-CBC-SHA384", Some("who?")),
        ("ECDHE-PSK-CHACHA20-POLY1305", Some("who?")),
        ("ECDHE-PSK-AES128-CBC-SHA256", None),
        ("DHE-PSK-AES256-GCM-SHA384", Some("h\u{e4}?")),
        ("RSA-PSK-AES128-GCM-SHA256", Some("who?")),
        ("RSA-PSK-AES128-GCM-SHA256", None),
    ] {
        for piece in [1, 7, usize::MAX] {
            let contexts = contexts(TLS1_2, &format!("{suite}:@SECLEVEL=0"));
            contexts[1].set_dh_auto().unwrap();
            if suite.starts_with("RSA") {
                contexts[1].set_cert(&rsa.cert_pem()).unwrap();
                contexts[1].set_key(&rsa.key_pem(), None).unwrap();
                contexts[0].add_ca_cert(&rsa.cert_pem()).unwrap();
            }
            let mut sc = with_keys(Role::Server);
            sc.psk_identity_hint = hint.map(str::to_owned);
            let (mut c, mut s) = (Peer::new(&contexts[0], with_keys(Role::Client)), Peer::new(&contexts[1], sc));
            let (identities, hints) = shake(&mut c, &mut s, ("me", b"secret"), ("me", b"secret"), piece);
            assert_eq!((identities, hints), (vec![vec!["me".to_owned()]], vec![hint.map(str::to_owned)]), "{suite}");
            assert_eq!(c.session.cipher().unwrap().name, suite);
            carries_data(&mut c, &mut s);
        }
    }
}

/// The records of `flight` as one, if they are in clear.
fn joined(flight: &[u8]) -> Vec<u8> {
    let (mut rest, mut content) = (flight, Vec::new());
    while let [22, 3, _, high, low, tail @ ..] = rest {
        let (body, after) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        content.extend_from_slice(body);
        rest = after;
    }
    [&[22, 3, 3], &(content.len() as u16).to_be_bytes()[..], &content, rest].concat()
}

#[test]
fn a_flight_in_one_record_is_understood() {
    let contexts = contexts(TLS1_2, "DHE-PSK-AES128-GCM-SHA256");
    contexts[1].set_dh_auto().unwrap();
    let mut sc = with_keys(Role::Server);
    sc.psk_identity_hint = Some("who?".into());
    let (mut c, mut s) = (Peer::new(&contexts[0], with_keys(Role::Client)), Peer::new(&contexts[1], sc));
    let hello = c.step(&[]);
    let flight = s.step(&hello);
    assert_eq!(c.step(&joined(&flight)), b"");
    let asked = Question::PskHint { hint: Some("who?".into()) };
    assert_eq!((&c.events[..], c.state), (&[SessionEvent::Question(asked)][..], Handshake::Parked));
    // More bytes and more calls change nothing.
    c.step(&[]);
    assert_eq!((c.events.len(), c.state), (1, Handshake::Parked));
    c.events.clear();
    c.session.answer(Answer::Psk(key("me", b"k"))).unwrap();
    shake(&mut c, &mut s, ("me", b"k"), ("me", b"k"), usize::MAX);
    carries_data(&mut c, &mut s);
}

#[test]
fn a_wrong_key_and_an_unknown_identity_are_refused() {
    for (version, ours, theirs, code, alert) in [
        (TLS1_3, ("me", "one"), ("me", "two"), "ERR_SSL_BINDER_DOES_NOT_VERIFY", "ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR"),
        (
            TLS1_3,
            ("you", "one"),
            ("me", "one"),
            "ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM",
            "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
        ),
        (
            TLS1_2,
            ("me", "one"),
            ("me", "two"),
            "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
            "ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC",
        ),
        (
            TLS1_2,
            ("you", "one"),
            ("me", "one"),
            "ERR_SSL_PSK_IDENTITY_NOT_FOUND",
            "ERR_SSL_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY",
        ),
    ] {
        let contexts = contexts(version, ALL);
        let (mut c, mut s) = peers(&contexts);
        shake(&mut c, &mut s, (ours.0, ours.1.as_bytes()), (theirs.0, theirs.1.as_bytes()), usize::MAX);
        assert_eq!((s.code(), c.code()), (Some(code), Some(alert)), "{version:x} {ours:?}");
    }
}

#[test]
fn without_a_key_a_certificate_does() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        // The server knows nobody; the client has no key; neither uses any.
        for (client_has, server_has) in [(true, true), (false, true), (false, false), (true, false)] {
            let role = |role, keys| if keys { with_keys(role) } else { config(role) };
            let mut c = Peer::new(&client_context(&ca, version, version), role(Role::Client, client_has));
            let mut s = Peer::new(&server, role(Role::Server, server_has));
            let (identities, _) = shake(&mut c, &mut s, ("me", b"secret"), ("you", b"secret"), usize::MAX);
            assert_eq!(identities.len(), usize::from(client_has && server_has && version == TLS1_3));
            assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
            assert_eq!(c.session.peer_chain().len(), 2);
        }
    }
}

#[test]
fn a_client_of_both_versions_is_asked_for_each() {
    let suite = "PSK-AES128-GCM-SHA256";
    let ([both, _], [_, old]) = (contexts(0, suite), contexts(TLS1_2, suite));
    let mut sc = with_keys(Role::Server);
    sc.psk_identity_hint = Some("who?".into());
    let (mut c, mut s) = (Peer::new(&both, with_keys(Role::Client)), Peer::new(&old, sc));
    let (identities, hints) = shake(&mut c, &mut s, ("me", b"k"), ("me", b"k"), 3);
    // A server without TLS 1.3 finds no key in the ClientHello.
    assert_eq!((identities.len(), hints), (1, vec![None, Some("who?".into())]));
    carries_data(&mut c, &mut s);
}

#[test]
fn a_ticket_resumes_beside_a_key() {
    for version in [TLS1_2, TLS1_3] {
        let contexts = contexts(version, ALL);
        let (mut c, mut s) = peers(&contexts);
        shake(&mut c, &mut s, ("me", b"secret"), ("me", b"secret"), usize::MAX);
        let session = c.events.iter().rev().find_map(|event| match event {
            SessionEvent::NewSession { session, .. } => Some(session.clone()),
            _ => None,
        });
        let mut cc = with_keys(Role::Client);
        cc.session = session;
        let (mut c, mut s) = (Peer::new(&contexts[0], cc), Peer::new(&contexts[1], with_keys(Role::Server)));
        // Whoever knows no key any more can still take the ticket.
        let (identities, _) = shake(&mut c, &mut s, ("me", b"secret"), ("nobody", b""), usize::MAX);
        carries_data(&mut c, &mut s);
        assert!(c.session.session_reused() && s.session.session_reused());
        let expected = if version == TLS1_3 { vec![vec!["me".to_owned()]] } else { vec![] };
        assert_eq!(identities, expected);
    }
}

#[test]
fn a_second_hello_asks_no_second_time() {
    let contexts = contexts(TLS1_3, "DEFAULT");
    contexts[0].set_ecdh_curve("P-256:P-384").unwrap();
    contexts[1].set_ecdh_curve("P-384").unwrap();
    let (mut c, mut s) = peers(&contexts);
    let (identities, hints) = shake(&mut c, &mut s, ("me", b"secret"), ("me", b"secret"), usize::MAX);
    assert_eq!((identities.len(), hints.len()), (1, 1));
    carries_data(&mut c, &mut s);
}

#[test]
fn a_renegotiation_takes_the_key_that_is_there() {
    let contexts = contexts(TLS1_2, ALL);
    let mut sc = with_keys(Role::Server);
    sc.psk_identity_hint = Some("who?".into());
    let (mut c, mut s) = (Peer::new(&contexts[0], with_keys(Role::Client)), Peer::new(&contexts[1], sc));
    shake(&mut c, &mut s, ("me", b"secret"), ("me", b"secret"), usize::MAX);
    let finished = c.session.finished();
    c.session.renegotiate().unwrap();
    let (identities, hints) = shake(&mut c, &mut s, ("", b""), ("", b""), usize::MAX);
    assert_eq!((identities.len(), hints.len()), (0, 0));
    assert_ne!(c.session.finished(), finished);
    carries_data(&mut c, &mut s);
}

#[test]
fn a_question_waits_for_its_own_answer() {
    let contexts = contexts(TLS1_3, "DEFAULT");
    let mut c = Peer::new(&contexts[0], with_keys(Role::Client));
    assert_eq!(c.step(&[]), b"");
    assert_eq!((c.state, c.events.len()), (Handshake::Parked, 1));
    let other = Answer::Certificate { context: None, ocsp: None };
    assert_eq!(c.session.answer(other).unwrap_err().code, "ERR_C4TLS_NOT_PARKED");
    c.session.answer(Answer::Psk(None)).unwrap();
    assert_eq!(c.session.answer(Answer::Psk(None)).unwrap_err().code, "ERR_C4TLS_NOT_PARKED");
    assert_eq!(c.step(&[])[0], 22);
}

#[test]
fn a_hint_that_is_too_long_is_refused() {
    let contexts = contexts(TLS1_2, ALL);
    for (hint, good) in [("x".repeat(256), true), ("x".repeat(257), false), ("a\0b".into(), false)] {
        let mut sc = with_keys(Role::Server);
        sc.psk_identity_hint = Some(hint);
        let code = contexts[1].session(sc).err().map(|e| e.code.into_owned());
        assert_eq!(code, (!good).then(|| "ERR_TLS_PSK_SET_IDENTIY_HINT_FAILED".to_owned()));
    }
}

#[test]
fn keys_that_do_not_fit_are_no_keys() {
    for (version, identity, length, good) in [
        (TLS1_3, 256, 512, true),
        (TLS1_3, 257, 16, false),
        (TLS1_3, 2, 513, false),
        (TLS1_3, 2, 0, false),
        (TLS1_2, 256, 512, true),
        (TLS1_2, 257, 16, false),
        (TLS1_2, 2, 513, false),
        (TLS1_2, 2, 0, false),
    ] {
        let contexts = contexts(version, ALL);
        let (mut c, mut s) = peers(&contexts);
        let (identity, secret) = ("i".repeat(identity), vec![1; length]);
        shake(&mut c, &mut s, (&identity, &secret), (&identity, &secret), usize::MAX);
        assert_eq!((c.error.is_none(), s.error.is_none()), (good, good), "{version:x} {length}");
    }
}

/// The versions in the records' headers, which nobody protects.
fn is_version(mut flight: &[u8], mut at: usize) -> bool {
    while at >= 5 {
        let end = 5 + usize::from(u16::from_be_bytes([flight[3], flight[4]]));
        let Some(rest) = flight.get(end..).filter(|_| at >= end) else { return false };
        (flight, at) = (rest, at - end);
    }
    matches!(at, 1 | 2)
}

#[test]
fn no_flipped_bit_gets_through_a_handshake() {
    for version in [TLS1_2, TLS1_3] {
        let contexts = contexts(version, "PSK-AES128-GCM-SHA256");
        // Whose flight, which one, and where: until there is no such byte.
        for (clients, flight) in [(true, 0), (false, 0), (true, 1), (false, 1)] {
            if version == TLS1_3 && (clients, flight) == (false, 1) {
                // Tickets, behind the handshake.
                continue;
            }
            let mut at = 0;
            loop {
                let (mut c, mut s) = peers(&contexts);
                let (mut seen, mut flipped, mut harmless) = ([0, 0], false, false);
                let mut bytes = Vec::new();
                for turn in 0..12 {
                    let of_client = turn % 2 == 0;
                    let peer = if of_client { &mut c } else { &mut s };
                    bytes = peer.step(&bytes);
                    for event in std::mem::take(&mut peer.events) {
                        if let SessionEvent::Question(_) = event {
                            peer.session.answer(Answer::Psk(key("me", b"secret"))).unwrap();
                            bytes.extend(peer.step(&[]));
                        }
                    }
                    if bytes.is_empty() {
                        continue;
                    }
                    let number = &mut seen[usize::from(of_client)];
                    if of_client == clients && *number == flight && at < bytes.len() {
                        harmless = is_version(&bytes, at);
                        bytes[at] ^= 1 << (at % 8);
                        flipped = true;
                    }
                    *number += 1;
                }
                if !flipped {
                    break;
                }
                let done = c.state == Handshake::Done && s.state == Handshake::Done;
                assert!(
                    harmless || !done || c.error.is_some() || s.error.is_some(),
                    "{version:x} {clients} {flight} {at}"
                );
                at += 1;
            }
            assert!(at > 0, "no such flight");
        }
    }
}
