//! Clear text, closing, renegotiation.

use std::time::Duration;

use crate::engine::testing::*;
use crate::engine::{Answer, Context, Handshake, Question, Role, SessionConfig, SessionEvent};

fn contexts(version: u16) -> (Context, Context) {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    (server, client_context(&ca, version, version))
}

fn pair(version: u16, sc: SessionConfig) -> (Peer, Peer) {
    let (server, client) = contexts(version);
    let mut s = Peer::new(&server, sc);
    let mut c = Peer::new(&client, config(Role::Client));
    talk(&mut c, &mut s);
    assert_eq!((c.state, s.state), (Handshake::Done, Handshake::Done));
    (c, s)
}

#[test]
fn a_large_transfer_arrives_whole_in_any_pieces() {
    let data: Vec<u8> = (0..1_000_003u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for version in [TLS1_2, TLS1_3] {
        for piece in [7, 1_400, 16_384 + 21, usize::MAX] {
            let (mut c, mut s) = pair(version, config(Role::Server));
            assert_eq!(s.session.write(&data).unwrap(), data.len());
            assert_eq!(c.session.write(b"other way").unwrap(), 9);
            talk_in_pieces(&mut c, &mut s, piece);
            assert!(c.clear == data, "{} of {}", c.clear.len(), data.len());
            assert_eq!(s.clear, b"other way");
            assert_eq!((c.session.unread(), s.session.unread()), (0, 0));
        }
    }
}

#[test]
fn small_fragments_are_sent_where_they_are_asked_for() {
    let (mut c, mut s) = pair(TLS1_3, config(Role::Server));
    assert!(!s.session.set_max_send_fragment(511));
    assert!(!s.session.set_max_send_fragment(16_385));
    assert!(s.session.set_max_send_fragment(512));
    s.session.write(&[b'x'; 2_048]).unwrap();
    let records = s.session.output().chunks(512 + 1 + 16 + 5).filter(|r| r[0] == 23).count();
    assert_eq!(records, 4);
    talk(&mut c, &mut s);
    assert_eq!(c.clear.len(), 2_048);
}

#[test]
fn each_side_closes_for_itself() {
    for version in [TLS1_2, TLS1_3] {
        let (mut c, mut s) = pair(version, config(Role::Server));
        c.session.write(b"bye").unwrap();
        c.session.close_notify();
        c.session.close_notify();
        talk(&mut c, &mut s);
        assert_eq!((&s.clear[..], s.closed, c.closed), (&b"bye"[..], true, false));
        // The other half stays open.
        s.session.write(b"after").unwrap();
        s.session.close_notify();
        talk(&mut c, &mut s);
        assert_eq!((&c.clear[..], c.closed), (&b"after"[..], true));
        assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
    }
}

#[test]
fn nothing_is_closed_before_the_handshake_is_done() {
    let (server, _) = contexts(0);
    let mut s = Peer::new(&server, config(Role::Server));
    s.session.close_notify();
    assert!(s.step(&[]).is_empty());
}

#[test]
fn empty_buffers_are_given_back() {
    let (mut c, mut s) = pair(TLS1_3, config(Role::Server));
    s.session.write(&[0; 100_000]).unwrap();
    talk(&mut c, &mut s);
    s.session.release_buffers();
    c.session.release_buffers();
    assert_eq!(s.session.output().capacity(), 0);
}

#[test]
fn a_client_renegotiates_up_to_the_limit() {
    let (mut c, mut s) = pair(TLS1_2, config(Role::Server));
    for round in 1..=3 {
        c.session.renegotiate().unwrap();
        // Data in the middle of it waits.
        assert_eq!(c.session.write(b"early").unwrap(), 0);
        talk(&mut c, &mut s);
        assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
        let done = |p: &Peer| p.events.iter().filter(|e| **e == SessionEvent::HandshakeDone).count();
        assert_eq!((done(&c), done(&s)), (1 + round, 1 + round));
        assert_eq!(c.session.write(b"x").unwrap(), 1);
        talk(&mut c, &mut s);
    }
    assert_eq!(s.clear, b"xxx");
    c.session.renegotiate().unwrap();
    talk(&mut c, &mut s);
    assert_eq!(s.code(), Some("ERR_TLS_SESSION_ATTACK"));
    assert_eq!(s.error.as_ref().unwrap().message, "TLS session renegotiation attack detected");
    assert_eq!(c.code(), Some("ERR_SSL_TLSV1_ALERT_NO_RENEGOTIATION"));
}

#[test]
fn quiet_time_forgives_renegotiations() {
    let (mut c, mut s) = pair(TLS1_2, config(Role::Server));
    for _ in 0..8 {
        s.now += Duration::from_secs(601);
        c.session.renegotiate().unwrap();
        talk(&mut c, &mut s);
        assert_eq!(s.error, None);
    }
}

#[test]
fn renegotiation_can_be_forbidden() {
    let (mut c, mut s) = pair(TLS1_2, config(Role::Server));
    s.session.disable_renegotiation();
    c.session.renegotiate().unwrap();
    talk(&mut c, &mut s);
    assert_eq!(s.code(), Some("ERR_TLS_RENEGOTIATION_DISABLED"));
    assert_eq!(s.error.as_ref().unwrap().message, "TLS session renegotiation disabled for this socket");
    assert!(c.error.is_some());
}

#[test]
fn a_renegotiation_waits_for_the_owner_and_what_it_then_says() {
    for forbid in [false, true] {
        let mut asking = config(Role::Server);
        asking.renegotiation.ask = true;
        let (mut c, mut s) = pair(TLS1_2, asking);
        let before = c.events.len();
        c.session.write(b"before").unwrap();
        c.session.renegotiate().unwrap();
        talk(&mut c, &mut s);
        assert_eq!((&s.clear[..], s.events.last()), (&b"before"[..], Some(&asked())));
        // Parked: nothing moves, however often it is tried.
        talk(&mut c, &mut s);
        assert_eq!(s.session.write(b"x").unwrap(), 0);
        assert_eq!((c.events.len(), s.error.as_ref()), (before, None));
        if forbid {
            s.session.disable_renegotiation();
        }
        s.session.answer(Answer::Renegotiation).unwrap();
        talk(&mut c, &mut s);
        assert_eq!(s.code(), forbid.then_some("ERR_TLS_RENEGOTIATION_DISABLED"));
        assert_eq!(c.events.len() - before, usize::from(!forbid));
        assert!(s.session.answer(Answer::Renegotiation).is_err());
        if !forbid {
            // And the next is a question of its own.
            c.session.renegotiate().unwrap();
            talk(&mut c, &mut s);
            assert_eq!(s.events.last(), Some(&asked()));
        }
    }
}

fn asked() -> SessionEvent {
    SessionEvent::Question(Question::Renegotiation)
}

#[test]
fn a_server_can_ask_for_a_renegotiation() {
    let (mut c, mut s) = pair(TLS1_2, config(Role::Server));
    s.session.renegotiate().unwrap();
    talk(&mut c, &mut s);
    let done = |p: &Peer| p.events.iter().filter(|e| **e == SessionEvent::HandshakeDone).count();
    assert_eq!((done(&c), done(&s)), (2, 2));
}

#[test]
fn tls_1_3_has_no_renegotiation_and_goes_on() {
    let (mut c, mut s) = pair(TLS1_3, config(Role::Server));
    assert_eq!(c.session.renegotiate().unwrap_err().code, "ERR_SSL_WRONG_SSL_VERSION");
    c.session.write(b"still here").unwrap();
    talk(&mut c, &mut s);
    assert_eq!(s.clear, b"still here");
}
