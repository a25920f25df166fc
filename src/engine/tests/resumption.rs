//! Sessions that come again.

use std::sync::Arc;

use crate::engine::testing::*;
use crate::engine::{
    Answer, Context, Handshake, Question, Role, SessionConfig, SessionEvent, SniTable, TicketAnswer, TicketHead,
    TicketKey, Verify,
};

const SSL_OP_NO_TICKET: u64 = 1 << 14;

fn connect(server: &Context, client: &Context, sc: SessionConfig, session: Option<Vec<u8>>) -> (Peer, Peer) {
    let mut cc = config(Role::Client);
    cc.session = session;
    cc.hooks.sessions = true;
    let mut s = Peer::new(server, sc);
    let mut c = Peer::new(client, cc);
    talk(&mut c, &mut s);
    assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
    assert_eq!(s.session.session_reused(), c.session.session_reused());
    (c, s)
}

fn sessions(p: &Peer) -> Vec<(Vec<u8>, Vec<u8>)> {
    let session = |e: &SessionEvent| match e {
        SessionEvent::NewSession { id, session } => Some((id.clone(), session.clone())),
        _ => None,
    };
    p.events.iter().filter_map(session).collect()
}

#[test]
fn a_ticket_resumes_in_both_versions() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        let client = client_context(&ca, version, version);
        let (c, _) = connect(&server, &client, config(Role::Server), None);
        assert!(!c.session.session_reused());
        let (_, session) = sessions(&c).pop().unwrap();
        assert!(c.session.session_ticket().is_some());
        let (c, s) = connect(&server, &client, config(Role::Server), Some(session));
        assert!(c.session.session_reused());
        assert_eq!(c.session.verify_error(), None);
        assert_eq!(c.session.peer_chain().len(), 2);
        drop(s);
    }
}

#[test]
fn tickets_go_with_their_keys() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let (one, two) = (server_context(&id), server_context(&id));
    for version in [TLS1_2, TLS1_3] {
        let client = client_context(&ca, version, version);
        two.set_ticket_keys(&[7; 48]).unwrap();
        let (c, _) = connect(&one, &client, config(Role::Server), None);
        let (_, session) = sessions(&c).pop().unwrap();
        let (c, _) = connect(&two, &client, config(Role::Server), Some(session.clone()));
        assert!(!c.session.session_reused());
        two.set_ticket_keys(&one.ticket_keys()).unwrap();
        let (c, _) = connect(&two, &client, config(Role::Server), Some(session));
        assert!(c.session.session_reused());
    }
    assert_eq!(one.set_ticket_keys(&[0; 47]).unwrap_err().code, "ERR_INVALID_ARG_VALUE");
}

#[test]
fn an_unreadable_session_makes_a_full_handshake() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let (c, _) = connect(&server, &client_context(&ca, 0, 0), config(Role::Server), Some(b"junk".to_vec()));
    assert!(!c.session.session_reused());
}

#[test]
fn an_external_store_resumes_by_session_id() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    server.set_options(SSL_OP_NO_TICKET).unwrap();
    let asked = || {
        let mut sc = config(Role::Server);
        sc.hooks.sessions = true;
        sc.hooks.client_hello = true;
        sc
    };
    let client = client_context(&ca, TLS1_2, TLS1_2);
    let run = |resume: Option<Vec<u8>>, stored: Option<Vec<u8>>| {
        let mut cc = config(Role::Client);
        cc.session = resume;
        let (mut s, mut c) = (Peer::new(&server, asked()), Peer::new(&client, cc));
        talk(&mut c, &mut s);
        let [SessionEvent::Question(Question::ClientHello { session_id, ticket, .. })] = &s.events[..] else {
            panic!("{:?}", s.events)
        };
        let asked_for = session_id.clone();
        assert!(!ticket);
        s.session.answer(Answer::ClientHello { session: stored, alpn: None }).unwrap();
        talk(&mut c, &mut s);
        assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
        (c, s, asked_for)
    };

    let (c, s, asked_for) = run(None, None);
    assert!(asked_for.is_empty());
    let (id, stored) = sessions(&s).pop().unwrap();
    let (c, s, asked_for) = run(c.session.session(), Some(stored));
    assert_eq!(asked_for, id);
    assert!(c.session.session_reused() && s.session.session_reused());
    let (c, _, _) = run(c.session.session(), None);
    assert!(!c.session.session_reused());
    let (c, _, _) = run(c.session.session(), Some(b"junk".to_vec()));
    assert!(!c.session.session_reused());
}

#[test]
fn a_ticket_of_another_name_does_not_stand_in_for_a_client_certificate() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let server = server_context(&id);
    server.add_ca_cert(&ca.cert_pem()).unwrap();
    let person = Id::new("person", Kind::Ec, Some(&ca), 30);
    for version in [TLS1_2, TLS1_3] {
        let client = client_context(&ca, version, version);
        client.set_cert(&person.cert_pem()).unwrap();
        client.set_key(&person.key_pem(), None).unwrap();
        let run = |name: &str, session: Option<Vec<u8>>, verify: Verify| {
            let (mut sc, mut cc) = (config(Role::Server), config(Role::Client));
            sc.verify = verify;
            sc.sni = Some(Arc::new(SniTable::new()));
            cc.servername = Some(name.into());
            cc.session = session;
            cc.hooks.sessions = true;
            let (mut s, mut c) = (Peer::new(&server, sc), Peer::new(&client, cc));
            talk(&mut c, &mut s);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            let session = sessions(&c).pop().map(|(_, session)| session).or_else(|| c.session.session());
            (s.session.session_reused(), session)
        };
        let require = Verify { request: true, require: true, optional: false };
        let (_, session) = run("a.test", None, require);
        assert!(!run("b.test", session.clone(), require).0);
        assert!(run("A.test", session, require).0);
        // Given without a certificate: it must not do where one is required.
        let (_, session) = run("a.test", None, Verify::default());
        assert!(!run("a.test", session.clone(), require).0);
        assert!(run("b.test", session, Verify::default()).0);
    }
}

/// A ticket's name, vector and keys, as the program gives them.
fn ticket_key(name: u8, iv: u8, secret: u8) -> TicketKey {
    let bytes = [[name; 16], [iv; 16], [secret; 16], [secret; 16]].concat();
    TicketKey::from_bytes(&bytes).unwrap()
}

/// Shakes hands with a server whose program gives the keys of tickets; `answer` gets the tickets shown and how many are
/// wanted.
fn with_own_tickets(
    (server, client): (&Context, &Context),
    session: Option<Vec<u8>>,
    answer: impl FnOnce(&[TicketHead], usize) -> Option<TicketAnswer>,
) -> (Peer, Peer) {
    let mut cc = config(Role::Client);
    cc.session = session;
    cc.hooks.sessions = true;
    let mut s = Peer::new(server, config(Role::Server));
    let mut c = Peer::new(client, cc);
    talk_in_pieces(&mut c, &mut s, 1);
    assert_eq!(s.state, Handshake::Parked);
    let Some(SessionEvent::Question(Question::TicketKeys { shown, fresh })) = s.events.pop() else { panic!() };
    s.session.answer(Answer::TicketKeys(answer(&shown, fresh))).unwrap();
    assert!(s.session.answer(Answer::TicketKeys(None)).is_err());
    talk(&mut c, &mut s);
    (c, s)
}

#[test]
fn tickets_have_the_keys_that_the_program_gives() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    server.ask_ticket_keys();
    for (version, fresh) in [(TLS1_2, 1), (TLS1_3, 2)] {
        let both = (&server, &client_context(&ca, version, version));
        let mut keys = (0..fresh).map(|iv| ticket_key(b'n', iv, 1)).collect();
        let (c, _) = with_own_tickets(both, None, |shown, wanted| {
            assert_eq!((shown.len(), wanted), (0, usize::from(fresh)));
            Some(TicketAnswer { opened: None, made: std::mem::take(&mut keys) })
        });
        let made = sessions(&c);
        assert_eq!(made.len(), usize::from(fresh));
        let last = fresh - 1;
        let session = Some(made[usize::from(last)].1.clone());

        // The right key, another one, and none.
        for (secret, reused) in [(Some(1), true), (Some(2), false), (None, false)] {
            let (c, s) = with_own_tickets(both, session.clone(), |shown, _| {
                assert_eq!(shown, [ticket_key(b'n', last, 0).head]);
                let opened = secret.map(|secret| (ticket_key(b'n', last, secret), false));
                Some(TicketAnswer { opened, made: vec![ticket_key(b'm', 9, 1)] })
            });
            assert_eq!((c.error, s.error), (None, None));
            assert_eq!((c.session.session_reused(), s.session.session_reused()), (reused, reused));
        }

        // Where there is one key for two tickets, each has a vector of its own.
        let one = |_: &[TicketHead], _| Some(TicketAnswer { opened: None, made: vec![ticket_key(b'm', 9, 1)] });
        let (c, _) = with_own_tickets(both, None, one);
        let mut heads = Vec::new();
        for (_, session) in sessions(&c) {
            let (_, s) = with_own_tickets(both, Some(session), |shown, _| {
                heads.extend_from_slice(shown);
                Some(TicketAnswer { opened: None, made: Vec::new() })
            });
            assert_eq!(s.error, None);
        }
        assert_eq!((heads.len(), heads[0]), (usize::from(fresh), ticket_key(b'm', 9, 0).head));
        assert!(heads[1..].iter().all(|head| *head != heads[0] && head[..16] == [b'm'; 16]));

        let (c, s) = with_own_tickets(both, session.clone(), |_, _| None);
        assert_eq!((s.code(), c.alert()), (Some("ERR_SSL_CALLBACK_FAILED"), None));
        assert_eq!(c.code(), Some("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR"));
    }
    assert_eq!(TicketKey::from_bytes(&[0; 47]).err().unwrap().code, "ERR_INVALID_ARG_VALUE");
}

#[test]
fn keys_of_tickets_are_not_asked_for_where_there_are_none() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    server.ask_ticket_keys();
    server.set_options(SSL_OP_NO_TICKET).unwrap();
    for version in [TLS1_2, TLS1_3] {
        let (_, s) = connect(&server, &client_context(&ca, version, version), config(Role::Server), None);
        assert!(!s.events.iter().any(|event| matches!(event, SessionEvent::Question(_))));
    }
}
