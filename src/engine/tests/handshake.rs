//! Handshakes that come to their end.

use crate::engine::testing::*;
use crate::engine::{Handshake, Role, SessionEvent};

fn assert_done(c: &Peer, s: &Peer) {
    assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
    assert_eq!((s.state, c.state), (Handshake::Done, Handshake::Done));
}

#[test]
fn both_versions_and_key_types_shake_hands() {
    for (kind, auth) in [(Kind::Ec, "ECDSA"), (Kind::Rsa, "RSA")] {
        let ca = Id::authority("ca");
        let id = Id::new("localhost", kind, Some(&ca), 30);
        let server = server_context(&id);
        for version in [TLS1_2, TLS1_3] {
            let mut s = Peer::new(&server, config(Role::Server));
            let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
            talk(&mut c, &mut s);
            assert_done(&c, &s);
            assert_eq!(c.session.verify_error(), None);
            assert_eq!(c.session.peer_chain(), [id.der(), ca.der()]);
            assert_eq!(s.session.certificate(), Some(id.der()));
            assert!(s.session.peer_chain().is_empty());
            let cipher = c.session.cipher().unwrap();
            assert_eq!(s.session.cipher().as_ref(), Some(&cipher));
            let key = c.session.ephemeral_key().unwrap();
            assert_eq!(s.session.ephemeral_key(), None);
            match version {
                TLS1_2 => {
                    assert_eq!((c.session.protocol(), &*cipher.version), ("TLSv1.2", "TLSv1.2"));
                    assert_eq!(cipher.name, format!("ECDHE-{auth}-AES256-GCM-SHA384"));
                    assert_eq!(cipher.standard_name, format!("TLS_ECDHE_{auth}_WITH_AES_256_GCM_SHA384"));
                    assert_eq!((&*key.kind, key.name.as_deref(), key.bits), ("ECDH", Some("X25519"), Some(253)));
                }
                _ => {
                    assert_eq!((c.session.protocol(), &*cipher.version), ("TLSv1.3", "TLSv1.3"));
                    assert_eq!(cipher.name, "TLS_AES_256_GCM_SHA384");
                    assert_eq!((&*key.kind, key.name.as_deref(), key.bits), ("TLSGroup", Some("X25519MLKEM768"), None));
                }
            }
            assert!(s.session.shared_sigalgs().contains(&"RSA-PSS+SHA256".to_owned()));
            assert_eq!(c.session.finished(), s.session.peer_finished());
            assert_eq!(s.session.finished(), c.session.peer_finished());
            assert!(c.session.finished().is_some());
        }
    }
}

#[test]
fn a_handshake_stands_one_byte_at_a_time() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
        talk_in_pieces(&mut c, &mut s, 1);
        assert_done(&c, &s);
        let done = |p: &Peer| p.events.iter().filter(|e| **e == SessionEvent::HandshakeDone).count();
        assert_eq!((done(&c), done(&s)), (1, 1));
    }
}

#[test]
fn a_handshake_stands_a_split_at_every_position() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        let client = client_context(&ca, version, version);
        let mut longest = 2;
        let mut at = 1;
        while at < longest {
            let mut s = Peer::new(&server, config(Role::Server));
            let mut c = Peer::new(&client, config(Role::Client));
            longest = longest.max(talk_split_at(&mut c, &mut s, at));
            assert_done(&c, &s);
            at += 1;
        }
        assert!(longest > 200, "{longest}");
    }
}

#[test]
fn keying_material_is_the_same_on_both_sides() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
        assert!(c.session.export_keying_material(32, "EXPERIMENTAL x", None).is_err());
        talk(&mut c, &mut s);
        let both = |context| {
            let of = |p: &Peer| p.session.export_keying_material(48, "EXPERIMENTAL x", context).unwrap();
            (of(&c), of(&s))
        };
        let (ours, theirs) = both(None);
        assert_eq!((ours.len(), &ours), (48, &theirs));
        let (with, theirs) = both(Some(b"context"));
        assert_eq!(with, theirs);
        assert_ne!(with, ours);
    }
}

#[test]
fn a_key_log_has_every_secret_of_the_version() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for (version, labels) in [
        (TLS1_2, &["CLIENT_RANDOM"][..]),
        (
            TLS1_3,
            &[
                "SERVER_HANDSHAKE_TRAFFIC_SECRET",
                "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                "EXPORTER_SECRET",
                "SERVER_TRAFFIC_SECRET_0",
                "CLIENT_TRAFFIC_SECRET_0",
            ],
        ),
    ] {
        let mut logged = config(Role::Server);
        logged.hooks.keylog = true;
        let mut s = Peer::new(&server, logged);
        let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
        talk(&mut c, &mut s);
        let lines = |p: &Peer| -> Vec<String> {
            let line = |e: &SessionEvent| match e {
                SessionEvent::Keylog(line) => Some(String::from_utf8(line.clone()).unwrap()),
                _ => None,
            };
            p.events.iter().filter_map(line).collect()
        };
        let lines = (lines(&c), lines(&s));
        assert!(lines.0.is_empty());
        assert!(lines.1.iter().all(|line| line.ends_with('\n') && line.split(' ').count() == 3));
        for label in labels {
            assert!(lines.1.iter().any(|line| line.split(' ').next() == Some(label)), "{label} in {lines:?}");
        }
    }
}

#[test]
fn a_trace_tells_records_and_messages() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let mut traced = config(Role::Server);
    traced.hooks.trace = true;
    let mut s = Peer::new(&server, traced);
    let mut c = Peer::new(&client_context(&ca, 0, 0), config(Role::Client));
    talk(&mut c, &mut s);
    let text: String =
        s.events.iter().filter_map(|e| if let SessionEvent::Trace(t) = e { Some(&**t) } else { None }).collect();
    for part in ["Received Record: Handshake", "ClientHello", "Sent Record: ", "ServerHello", "Finished"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(c.events.iter().all(|e| !matches!(e, SessionEvent::Trace(_))));
}

#[test]
fn protocols_are_negotiated_in_the_servers_order() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let run = |version, offer: &[u8], ours: &[u8]| {
        let mut sc = config(Role::Server);
        sc.alpn = ours.to_vec();
        let mut cc = config(Role::Client);
        cc.alpn = offer.to_vec();
        let mut s = Peer::new(&server, sc);
        let mut c = Peer::new(&client_context(&ca, version, version), cc);
        talk(&mut c, &mut s);
        (c, s)
    };
    for version in [TLS1_2, TLS1_3] {
        let (c, s) = run(version, b"\x01a\x02h2", b"\x02h2\x01a");
        assert_done(&c, &s);
        assert_eq!((c.session.alpn(), s.session.alpn()), (Some(b"h2".to_vec()), Some(b"h2".to_vec())));
        for (offer, ours) in [(&b""[..], &b"\x02h2"[..]), (b"\x02h2", b"")] {
            let (c, s) = run(version, offer, ours);
            assert_done(&c, &s);
            assert_eq!((c.session.alpn(), s.session.alpn()), (None, None));
        }
        let (c, s) = run(version, b"\x01a", b"\x02h2");
        assert_eq!(s.code(), Some("ERR_SSL_NO_APPLICATION_PROTOCOL"));
        assert_eq!(s.alert(), Some(120));
        assert_eq!(c.code(), Some("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"));
    }
}

#[test]
fn malformed_protocols_and_names_are_refused_before_the_first_byte() {
    let context = client_context(&Id::authority("ca"), 0, 0);
    for alpn in [&b"\x05h2"[..], b"\x00", b"h2"] {
        let mut bad = config(Role::Client);
        bad.alpn = alpn.to_vec();
        assert_eq!(context.session(bad).err().unwrap().code, "ERR_INVALID_ARG_VALUE", "{alpn:?}");
    }
    for name in ["a\0b".to_owned(), "a".repeat(256)] {
        let mut bad = config(Role::Client);
        bad.servername = Some(name);
        assert_eq!(context.session(bad).err().unwrap().code, "ERR_INVALID_ARG_VALUE");
    }
}

#[test]
fn sides_without_a_common_version_or_suite_part_with_an_alert() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let server = server_context(&id);
    server.set_max_proto(TLS1_2).unwrap();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client_context(&ca, TLS1_3, TLS1_3), config(Role::Client));
    talk(&mut c, &mut s);
    assert_eq!((s.code(), s.alert()), (Some("ERR_SSL_UNSUPPORTED_PROTOCOL"), Some(70)));
    assert_eq!(c.code(), Some("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"));

    let client = client_context(&ca, TLS1_2, TLS1_2);
    client.set_ciphers("AES128-SHA").unwrap();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client, config(Role::Client));
    talk(&mut c, &mut s);
    assert_eq!((s.code(), s.alert()), (Some("ERR_SSL_NO_SHARED_CIPHER"), Some(40)));
    assert_eq!(c.code(), Some("ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"));
}

#[test]
fn threads_shake_hands_at_once() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let client = client_context(&ca, 0, 0);
    client.set_ecdh_curve("X25519").unwrap();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..20 {
                    let mut s = Peer::new(&server, config(Role::Server));
                    let mut c = Peer::new(&client, config(Role::Client));
                    talk(&mut c, &mut s);
                    assert_done(&c, &s);
                    assert_eq!(c.session.ephemeral_key().unwrap().name.as_deref(), Some("X25519"));
                }
            });
        }
    });
}

/// Whether the server asked for another key share: a ServerHello with the random value of RFC 8446, 4.1.3.
fn retried(server: &Peer) -> bool {
    let random = openssl::sha::sha256(b"HelloRetryRequest");
    server.sent.windows(random.len()).any(|bytes| bytes == random)
}

#[test]
fn the_hybrid_group_is_negotiated_by_default_and_costs_others_nothing() {
    const HYBRID: &str = "X25519MLKEM768";
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    server.set_options(openssl::ssl::SslOptions::CIPHER_SERVER_PREFERENCE.bits()).unwrap();
    let run = |groups: &str, version: u16| {
        let client = client_context(&ca, TLS1_2, version);
        client.set_ecdh_curve(groups).unwrap();
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client, config(Role::Client));
        talk(&mut c, &mut s);
        assert_done(&c, &s);
        (c.session.ephemeral_key().unwrap().name.unwrap(), retried(&s))
    };
    for (groups, version, expected, retry) in [
        ("auto", TLS1_3, HYBRID, false),
        ("X25519MLKEM768:X25519", TLS1_3, HYBRID, false),
        ("*X25519:*X25519MLKEM768", TLS1_3, HYBRID, false),
        ("X25519", TLS1_3, "X25519", false),
        ("P-256:X25519", TLS1_3, "prime256v1", false),
        // It names the hybrid and sends no share for it: one more round trip, as OpenSSL's groups have it.
        ("X25519:X25519MLKEM768", TLS1_3, HYBRID, true),
        ("auto", TLS1_2, "X25519", false),
        ("X25519MLKEM768:X25519:P-256", TLS1_2, "X25519", false),
    ] {
        assert_eq!(run(groups, version), (expected.to_owned(), retry), "{groups} {version:x}");
    }
    // A server that does not know the hybrid costs our client nothing either: X25519's share is there as well.
    server.set_ecdh_curve("X25519:P-256").unwrap();
    assert_eq!(run("auto", TLS1_3), ("X25519".to_owned(), false));
    server.set_ecdh_curve("X25519MLKEM768").unwrap();
    assert_eq!(run("auto", TLS1_3), (HYBRID.to_owned(), false));
}
