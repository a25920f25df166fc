//! Sessions that come again.

use std::sync::Arc;

use crate::engine::testing::*;
use crate::engine::{Answer, Context, Question, Role, SessionConfig, SessionEvent, SniTable, Verify};

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
