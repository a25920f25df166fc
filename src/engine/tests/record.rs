//! A server's session behind its handshake, in its lighter form: what it may be asked, and what it says to its peer.

use std::io::{ErrorKind, Read, Write};

use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslStream};

use super::wire::*;
use crate::engine::testing::*;
use crate::engine::{Handshake, Role, TlsSession, Verify};

extern "C" {
    fn SSL_CTX_set_num_tickets(ctx: *mut openssl_sys::SSL_CTX, count: usize) -> i32;
    fn SSL_CTX_set_tlsext_max_fragment_length(ctx: *mut openssl_sys::SSL_CTX, mode: u8) -> i32;
    fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: i32) -> i32;
    fn SSL_get_key_update_type(ssl: *const openssl_sys::SSL) -> i32;
}

/// Everything that a session may be asked.
fn answers(s: &dyn TlsSession) -> Vec<String> {
    let export = |label, context| format!("{:?}", s.export_keying_material(48, label, context));
    vec![
        format!("{:?} {} {:?}", s.role(), s.protocol(), s.cipher()),
        format!("{:?} {:?} {}", s.alpn(), s.servername(), s.session_reused()),
        format!("{:?}", s.peer_chain()),
        format!("{:?}", s.certificate()),
        format!("{:?}", s.verify_error()),
        format!("{:?}", s.session()),
        format!("{:?}", s.session_ticket()),
        format!("{:?} {:?}", s.finished(), s.peer_finished()),
        format!("{:?}", s.shared_sigalgs()),
        format!("{:?}", s.ephemeral_key()),
        export("EXPERIMENTAL label", None),
        export("EXPERIMENTAL label", Some(b"context")),
        export("EXPERIMENTAL label", Some(b"")),
    ]
}

#[test]
fn a_settled_session_answers_as_before() {
    for suite in SUITES {
        let ca = Id::authority("ca");
        let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
        server.set_cipher_suites(suite.name).unwrap();
        server.add_ca_cert(&ca.cert_pem()).unwrap();
        for issuer in [Some(&ca), None] {
            let client = client_context(&ca, TLS1_3, TLS1_3);
            let person = Id::new("person", Kind::Ec, issuer, 30);
            client.set_cert(&person.cert_pem()).unwrap();
            client.set_key(&person.key_pem(), None).unwrap();
            let mut session = None;
            for resumed in [false, true] {
                let (mut sc, mut cc) = (config(Role::Server), config(Role::Client));
                sc.verify = Verify { request: true, require: false, optional: false };
                sc.alpn = b"\x02h2".to_vec();
                cc.alpn = b"\x01x\x02h2".to_vec();
                cc.servername = Some("localhost".into());
                cc.session = session.take();
                let (mut s, mut c) = (Peer::new(&server, sc), Peer::new(&client, cc));
                s.settles = false;
                talk(&mut c, &mut s);
                let before = answers(&*s.session);
                s.settle();
                assert!(s.settled);
                assert_eq!(answers(&*s.session), before);
                assert_eq!(s.session.session_reused(), resumed);
                assert_eq!(s.session.cipher().unwrap().name, suite.name);
                assert_eq!(s.session.alpn().as_deref(), Some(&b"h2"[..]));
                assert_eq!(s.session.servername().as_deref(), Some("localhost"));
                assert_eq!(s.session.peer_chain()[0], person.der());
                assert_eq!(s.session.verify_error().is_none(), issuer.is_some());
                assert_eq!(s.session.finished(), c.session.peer_finished());
                assert_eq!(s.session.peer_finished(), c.session.finished());
                for context in [None, Some(&b"ctx"[..])] {
                    let export = |p: &Peer| p.session.export_keying_material(77, "label", context).unwrap();
                    assert_eq!(export(&s), export(&c));
                }
                session = c.session.session();
            }
        }
    }
}

#[test]
fn what_a_settled_session_refuses_it_refused_before() {
    let refusals = |settles| {
        let mut wire = Wire::new(&SUITES[0], settles);
        let s = &mut wire.s.session;
        let renegotiate = s.renegotiate().unwrap_err();
        let long = s.export_keying_material(255 * 32 + 1, "label", None).is_err();
        let fragments = [511, 16_385, 512, 16_384].map(|bytes| s.set_max_send_fragment(bytes));
        assert_eq!(s.write(b"").unwrap(), 0);
        s.close_notify();
        assert_eq!(s.write(b"").unwrap(), 0);
        let late = s.write(b"late").unwrap_err();
        let parts = |e: &crate::error::Error| (e.code.clone(), e.reason.clone(), e.library.clone());
        let after = s.read(&mut [0; 9], &std::time::Instant::now).unwrap_err();
        (parts(&renegotiate), long, fragments, parts(&late), parts(&after))
    };
    let (settled, before) = (refusals(true), refusals(false));
    assert_eq!(settled, before);
    assert_eq!(settled.3 .0, "ERR_SSL_PROTOCOL_IS_SHUTDOWN");
    assert_eq!(settled.2, [false, false, true, true]);
}

#[test]
fn records_sent_before_are_counted() {
    for count in 0..=3 {
        for suite in SUITES {
            let (server, client) = suite.contexts();
            // SAFETY: nobody else has the context yet.
            assert_eq!(
                unsafe { SSL_CTX_set_num_tickets(foreign_types_shared::ForeignType::as_ptr(&server.frozen()), count) },
                1
            );
            let mut s = Peer::new(&server, config(Role::Server));
            let mut c = Peer::new(&client, config(Role::Client));
            s.settles = false;
            let hello = c.step(&[]);
            let flight = s.step(&hello);
            let finished = c.step(&flight);
            let mut out = s.step(&finished);
            assert_eq!(out.is_empty(), count == 0);
            assert_eq!(s.state, Handshake::Done);
            // Short and long, in several records.
            s.session.write(b"early").unwrap();
            assert!(s.session.set_max_send_fragment(600));
            s.session.write(&[b'-'; 1_500]).unwrap();
            s.settle();
            assert!(s.settled);
            out.append(s.session.output());
            let from = out.len();
            s.session.write(&[b'+'; 1_500]).unwrap();
            out.append(s.session.output());
            assert_eq!(out.len() - from, 1_500 + 3 * (5 + 1 + 16), "still in parts of 600 bytes");
            s.session.write(b"late").unwrap();
            s.session.close_notify();
            out.append(s.session.output());
            c.step(&out);
            assert_eq!(c.error, None);
            let all = [&b"early"[..], &[b'-'; 1_500], &[b'+'; 1_500], b"late"].concat();
            assert!(c.clear == all && c.closed);
        }
    }
}

#[test]
fn a_session_that_said_goodbye_settles_and_still_hears() {
    let (server, client) = SUITES[0].contexts();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client, config(Role::Client));
    s.settles = false;
    talk(&mut c, &mut s);
    s.session.close_notify();
    s.settle();
    s.settles = true;
    assert!(s.settled);
    s.session.close_notify();
    c.session.write(b"still talking").unwrap();
    talk(&mut c, &mut s);
    assert_eq!((&s.clear[..], c.closed, s.closed), (&b"still talking"[..], true, false));
    c.session.close_notify();
    talk(&mut c, &mut s);
    assert_eq!((s.closed, s.error.as_ref(), c.error.as_ref()), (true, None, None));
}

#[test]
fn data_may_come_with_the_finished_message() {
    for suite in SUITES {
        for piece in [usize::MAX, 1] {
            let (server, client) = suite.contexts();
            let mut s = Peer::new(&server, config(Role::Server));
            let mut c = Peer::new(&client, config(Role::Client));
            let hello = c.step(&[]);
            let flight = s.step(&hello);
            let mut last = c.step(&flight);
            c.session.write(b"at once").unwrap();
            c.session.write(&[7; 40_000]).unwrap();
            last.extend(c.step(&[]));
            let mut back = Vec::new();
            for part in last.chunks(piece.min(last.len())) {
                back.extend(s.step(part));
            }
            assert!(s.settled);
            assert!(s.clear == [&b"at once"[..], &[7; 40_000]].concat());
            s.session.write(b"and back").unwrap();
            back.extend(s.step(&[]));
            for part in back.chunks(piece.min(back.len())) {
                c.step(part);
            }
            assert_eq!((&c.clear[..], c.error.as_ref()), (&b"and back"[..], None));
        }
    }
}

#[test]
fn sessions_that_have_a_reason_do_not_settle() {
    let (server, client) = SUITES[0].contexts();
    let run = |change: &dyn Fn(&mut crate::engine::SessionConfig)| {
        let mut sc = config(Role::Server);
        change(&mut sc);
        let (mut s, mut c) = (Peer::new(&server, sc), Peer::new(&client, config(Role::Client)));
        talk(&mut c, &mut s);
        assert_eq!(s.error, None);
        assert!(!c.settled, "clients never do");
        s.settled
    };
    assert!(run(&|_| {}));
    assert!(!run(&|sc| sc.hooks.trace = true));
    assert!(!run(&|sc| sc.hooks.keylog = true));
    server.set_cipher_suites("TLS_AES_128_CCM_SHA256").unwrap();
    client.set_cipher_suites("TLS_AES_128_CCM_SHA256").unwrap();
    assert!(!run(&|_| {}));
}

#[test]
fn a_client_that_wants_short_records_gets_them() {
    let (server, client) = SUITES[0].contexts();
    // 512 bytes (RFC 6066, 4).
    // SAFETY: nobody else has the context yet.
    assert_eq!(
        unsafe {
            SSL_CTX_set_tlsext_max_fragment_length(foreign_types_shared::ForeignType::as_ptr(&client.frozen()), 1)
        },
        1
    );
    let (mut s, mut c) = (Peer::new(&server, config(Role::Server)), Peer::new(&client, config(Role::Client)));
    talk(&mut c, &mut s);
    s.session.write(&[7; 5_000]).unwrap();
    talk(&mut c, &mut s);
    assert_eq!((c.clear.len(), c.error.as_ref()), (5_000, None));
}

#[test]
fn our_own_key_changes_in_time() {
    for suite in SUITES {
        let mut wire = Wire::new(suite, true);
        for i in 0..200u8 {
            wire.s.session.write(&[i]).unwrap();
        }
        let records = wire.tell(&[]);
        // Two tickets were the first of 64 records under the first key; a KeyUpdate is the last under each.
        let places: Vec<_> = records.iter().enumerate().filter(|(_, r)| r.0 == 22).map(|(at, _)| at).collect();
        assert_eq!(places, [62, 62 + 65, 62 + 65 + 65]);
        let data: Vec<u8> = records.iter().filter(|r| r.0 == 23).flat_map(|r| r.1.clone()).collect();
        assert_eq!(data, (0..200).collect::<Vec<u8>>());
    }
}

#[test]
fn many_records_come_under_one_key() {
    let (server, client) = SUITES[0].contexts();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client, config(Role::Client));
    talk(&mut c, &mut s);
    // Beyond two bytes of the sequence number.
    for round in 0..=u16::MAX {
        c.session.write(&round.to_be_bytes()).unwrap();
    }
    c.session.write(b"end").unwrap();
    talk(&mut c, &mut s);
    assert_eq!((s.clear.len(), s.error.as_ref()), (65_536 * 2 + 3, None));
    assert!(s.settled && s.clear.ends_with(b"\xff\xffend"));
}

/// What an OpenSSL client of its own reads from and writes to.
#[derive(Debug, Default)]
struct Pipe {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self.incoming.len().min(buf.len()) {
            0 => Err(ErrorKind::WouldBlock.into()),
            n => {
                buf[..n].copy_from_slice(&self.incoming[..n]);
                self.incoming.drain(..n);
                Ok(n)
            }
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        self.outgoing.extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Carries what the client said to the server and what that answers back.
fn exchange(client: &mut SslStream<Pipe>, s: &mut Peer) {
    let said = std::mem::take(&mut client.get_mut().outgoing);
    let answer = s.step(&said);
    client.get_mut().incoming.extend(answer);
}

#[test]
fn openssls_own_key_updates_are_followed() {
    const NOT_REQUESTED: i32 = 0;
    const REQUESTED: i32 = 1;
    for suite in SUITES {
        let (server, _) = suite.contexts();
        let mut s = Peer::new(&server, config(Role::Server));
        let mut builder = SslContextBuilder::new(SslMethod::tls_client()).unwrap();
        builder.set_ciphersuites(suite.name).unwrap();
        let mut client = SslStream::new(Ssl::new(&builder.build()).unwrap(), Pipe::default()).unwrap();
        while client.connect().is_err() {
            exchange(&mut client, &mut s);
        }
        exchange(&mut client, &mut s);
        for round in 0..100u8 {
            let kind = [NOT_REQUESTED, REQUESTED][usize::from(round % 2)];
            let ssl = foreign_types_shared::ForeignTypeRef::as_ptr(client.ssl());
            // SAFETY: the client is live.
            assert_eq!(unsafe { SSL_key_update(ssl, kind) }, 1);
            client.write_all(&[round; 3]).unwrap();
            // SAFETY: as above.
            assert_eq!(unsafe { SSL_get_key_update_type(ssl) }, -1, "it is out");
            exchange(&mut client, &mut s);
            assert_eq!(s.error, None);
            assert!(s.clear.ends_with(&[round; 3]));
            s.session.write(&[round; 2]).unwrap();
            exchange(&mut client, &mut s);
            let mut back = [0; 2];
            client.read_exact(&mut back).unwrap();
            assert_eq!(back, [round; 2]);
        }
        assert!(s.settled);
    }
}

#[test]
fn key_updates_are_answered_before_the_next_data_and_once() {
    let update = (22, vec![24, 0, 0, 1, 0]);
    let mut wire = Wire::new(&SUITES[0], true);
    let asked = wire.forger.key_update(true);
    assert_eq!(wire.tell(&asked), std::slice::from_ref(&update));
    let not_asked = wire.forger.key_update(false);
    assert_eq!(wire.tell(&not_asked), []);
    // Nothing left yet: asking on does not make more of it.
    wire.s.session.write(b"one").unwrap();
    let asked: Vec<u8> = (0..20).flat_map(|_| wire.forger.key_update(true)).collect();
    wire.s.session.feed(&asked);
    assert_eq!(wire.s.session.read(&mut [0; 99], &|| wire.s.now).unwrap(), crate::engine::Read::Pending);
    wire.s.session.write(b"two").unwrap();
    wire.s.session.write(b"three").unwrap();
    let data = |text: &[u8]| (23, text.to_vec());
    assert_eq!(wire.tell(&[]), [data(b"one"), update, data(b"two"), data(b"three")]);
    // After our goodbye there is no answer, but the peer's key changes.
    wire.s.session.close_notify();
    let mut more = wire.forger.key_update(true);
    more.extend(wire.forger.record(23, b"more", 0));
    assert_eq!(wire.tell(&more), [(21, vec![1, 0])]);
    assert_eq!((&wire.s.clear[..], wire.s.error.as_ref()), (&b"more"[..], None));
}

#[test]
fn a_small_buffer_gets_everything_in_order() {
    for size in [1, 5, 16, 17, 18, 40] {
        let mut wire = Wire::new(&SUITES[2], true);
        let mut sent = Vec::new();
        let mut bytes = Vec::new();
        for (i, length) in [0, 1, 20, 3, 16_384, 0, 40].into_iter().enumerate() {
            let content = vec![i as u8; length];
            bytes.extend(wire.forger.record(23, &content, i * 7));
            sent.extend_from_slice(&content);
        }
        bytes.extend(wire.forger.key_update(false));
        bytes.extend(wire.forger.record(23, b"end", 0));
        sent.extend_from_slice(b"end");
        wire.s.session.feed(&bytes);
        let (mut buf, mut got) = (vec![0; size], Vec::new());
        while let crate::engine::Read::Data(n) = wire.s.session.read(&mut buf, &|| wire.s.now).unwrap() {
            got.extend_from_slice(&buf[..n]);
        }
        assert!(got == sent, "{size}");
        assert_eq!(wire.s.session.unread(), 0);
    }
}

#[test]
fn what_may_be_an_alert_is_read_before_it_settles() {
    for suite in SUITES {
        let (server, client) = suite.contexts();
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client, config(Role::Client));
        s.settles = false;
        talk(&mut c, &mut s);
        c.session.write(b"ab").unwrap();
        s.session.feed(&std::mem::take(c.session.output()));
        assert!(s.session.may_be_alert());
        talk(&mut c, &mut s);
        s.settle();
        assert!(s.settled && s.clear == b"ab");
        c.session.write(b"more").unwrap();
        s.session.write(b"answer").unwrap();
        talk(&mut c, &mut s);
        assert_eq!((&s.clear[..], &c.clear[..], &s.error), (&b"abmore"[..], &b"answer"[..], &None));
    }
}

#[test]
fn a_close_notify_may_be_an_alert_and_data_end_the_time_to_settle() {
    let (server, client) = SUITES[0].contexts();
    for message in [&b""[..], b"a", b"abc"] {
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client, config(Role::Client));
        s.settles = false;
        talk(&mut c, &mut s);
        match message {
            b"" => c.session.close_notify(),
            _ => assert_eq!(c.session.write(message).unwrap(), message.len()),
        }
        s.session.feed(&std::mem::take(c.session.output()));
        assert_eq!(s.session.may_be_alert(), message.is_empty());
        talk(&mut c, &mut s);
        s.settle();
        assert_eq!((s.settled, s.closed, &s.clear[..]), (false, message.is_empty(), message));
    }
}
