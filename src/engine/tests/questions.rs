//! Handshakes that park.

use std::sync::Arc;

use crate::engine::testing::*;
use crate::engine::{Answer, Context, Handshake, Question, Role, SessionEvent, SniTable};

#[test]
fn questions_come_in_order_and_wait_for_their_answers() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let second = Id::new("second.test", Kind::Rsa, Some(&ca), 30);
    let other = server_context(&second);
    for version in [TLS1_2, TLS1_3] {
        for piece in [1, usize::MAX] {
            let mut sc = config(Role::Server);
            sc.hooks.client_hello = true;
            sc.hooks.certificate = true;
            sc.alpn = b"\x01z".to_vec();
            let mut cc = config(Role::Client);
            cc.servername = Some("second.test".into());
            cc.alpn = b"\x02h2\x01x".to_vec();
            let mut s = Peer::new(&server, sc);
            let mut c = Peer::new(&client_context(&ca, version, version), cc);

            talk_in_pieces(&mut c, &mut s, piece);
            assert_eq!(s.state, Handshake::Parked);
            let hello = s.events.pop();
            let Some(SessionEvent::Question(Question::ClientHello { servername, alpn, ocsp, .. })) = hello else {
                panic!("{hello:?}")
            };
            assert_eq!(servername.as_deref(), Some("second.test"));
            assert_eq!((alpn, ocsp), (vec![b"h2".to_vec(), b"x".to_vec()], false));
            let early = Answer::Certificate { context: None, ocsp: None };
            assert_eq!(s.session.answer(early).unwrap_err().code, "ERR_C4TLS_NOT_PARKED");
            s.step(&[]);
            assert_eq!((s.state, s.events.len()), (Handshake::Parked, 0));
            s.session.answer(Answer::ClientHello { session: None, alpn: Some(Some(b"x".to_vec())) }).unwrap();

            talk_in_pieces(&mut c, &mut s, piece);
            assert_eq!(s.state, Handshake::Parked);
            let question = Question::Certificate { servername: Some("second.test".into()), ocsp: false, offer: None };
            assert_eq!(s.events, [SessionEvent::Question(question)]);
            s.session.answer(Answer::Certificate { context: Some(other.clone()), ocsp: None }).unwrap();

            talk_in_pieces(&mut c, &mut s, piece);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            assert_eq!(c.state, Handshake::Done);
            assert_eq!(c.session.peer_chain()[0], second.der());
            assert_eq!(s.session.certificate(), Some(second.der()));
            assert_eq!(c.session.alpn(), Some(b"x".to_vec()));
            assert_eq!(s.session.servername().as_deref(), Some("second.test"));
        }
    }
}

#[test]
fn an_answer_can_refuse_every_protocol() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for (version, answer) in [(TLS1_2, None), (TLS1_3, None), (TLS1_3, Some(b"not offered".to_vec()))] {
        let mut sc = config(Role::Server);
        sc.hooks.client_hello = true;
        let mut cc = config(Role::Client);
        cc.alpn = b"\x02h2".to_vec();
        let mut s = Peer::new(&server, sc);
        let mut c = Peer::new(&client_context(&ca, version, version), cc);
        talk(&mut c, &mut s);
        s.session.answer(Answer::ClientHello { session: None, alpn: Some(answer) }).unwrap();
        talk(&mut c, &mut s);
        assert_eq!((s.code(), s.alert()), (Some("ERR_SSL_NO_APPLICATION_PROTOCOL"), Some(120)));
    }
}

#[test]
fn the_table_of_names_chooses_without_asking() {
    let ca = Id::authority("ca");
    let default = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let server = server_context(&default);
    let table = SniTable::new();
    let ids = [Id::new("one", Kind::Ec, Some(&ca), 30), Id::new("two", Kind::Rsa, Some(&ca), 30)];
    table.add("*.example.com", server_context(&ids[0]));
    table.add("b.example.com", server_context(&ids[1]));
    let table = Arc::new(table);
    for version in [TLS1_2, TLS1_3] {
        for (name, expected) in [
            (Some("a.example.com"), &ids[0]),
            (Some("B.Example.Com"), &ids[1]),
            (Some("a.b.example.com"), &default),
            (None, &default),
        ] {
            let mut sc = config(Role::Server);
            sc.sni = Some(table.clone());
            let mut cc = config(Role::Client);
            cc.servername = name.map(str::to_owned);
            let mut s = Peer::new(&server, sc);
            let mut c = Peer::new(&client_context(&ca, version, version), cc);
            talk(&mut c, &mut s);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            assert_eq!(c.session.peer_chain()[0], expected.der(), "{name:?}");
            assert_eq!(s.session.servername().as_deref(), name);
        }
    }
}

#[test]
fn a_chosen_context_brings_its_trust_along() {
    let (ca, clients) = (Id::authority("ca"), Id::authority("clients"));
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let person = Id::new("person", Kind::Ec, Some(&clients), 30);
    let server = server_context(&id);
    let other = server_context(&id);
    other.add_ca_cert(&clients.cert_pem()).unwrap();
    for version in [TLS1_2, TLS1_3] {
        for (context, code) in [(None, Some("UNABLE_TO_VERIFY_LEAF_SIGNATURE")), (Some(other.clone()), None)] {
            let mut sc = config(Role::Server);
            sc.hooks.certificate = true;
            sc.verify.request = true;
            let client = client_context(&ca, version, version);
            client.set_cert(&person.cert_pem()).unwrap();
            client.set_key(&person.key_pem(), None).unwrap();
            let mut s = Peer::new(&server, sc);
            let mut c = Peer::new(&client, config(Role::Client));
            talk(&mut c, &mut s);
            s.session.answer(Answer::Certificate { context, ocsp: None }).unwrap();
            talk(&mut c, &mut s);
            assert_eq!(s.session.verify_error().map(|e| e.code).as_deref(), code);
        }
    }
}

#[test]
fn a_chosen_context_completes_its_chain_from_its_own_authorities() {
    let ca = Id::authority("ca");
    let middle = Id::intermediate("middle", &ca);
    let leaf = Id::new("named", Kind::Ec, Some(&middle), 30);
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    let named = server_context(&leaf);
    named.add_ca_cert(&middle.cert_pem()).unwrap();
    let table = SniTable::new();
    table.add("named", named);
    let (mut sc, mut cc) = (config(Role::Server), config(Role::Client));
    sc.sni = Some(Arc::new(table));
    cc.servername = Some("named".into());
    let mut s = Peer::new(&server, sc);
    let mut c = Peer::new(&client_context(&ca, 0, 0), cc);
    talk(&mut c, &mut s);
    assert_eq!(c.session.verify_error(), None);
    assert_eq!(c.session.peer_chain(), [leaf.der(), middle.der(), ca.der()]);
}

#[test]
fn a_chosen_context_without_a_certificate_shows_no_other() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    for version in [TLS1_2, TLS1_3] {
        let mut sc = config(Role::Server);
        sc.hooks.certificate = true;
        let mut s = Peer::new(&server, sc);
        let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
        talk(&mut c, &mut s);
        let empty = Context::new(None, 0, 0).unwrap();
        s.session.answer(Answer::Certificate { context: Some(empty), ocsp: None }).unwrap();
        talk(&mut c, &mut s);
        assert_eq!((s.code(), s.alert()), (Some("ERR_SSL_PASSED_A_NULL_PARAMETER"), Some(40)));
        assert_eq!(c.code(), Some("ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"));
    }
}

#[test]
fn a_response_is_stapled_for_the_client_that_wants_it() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let server = server_context(&id);
    // OCSPResponse with the status "try later": the shortest there is.
    let response = b"\x30\x03\x0a\x01\x03".to_vec();
    for version in [TLS1_2, TLS1_3] {
        for (wanted, staple, expected) in [
            (true, Some(response.clone()), Some(Some(response.clone()))),
            (true, Some(b"no response".to_vec()), Some(None)),
            (true, None, Some(None)),
            (false, Some(response.clone()), None),
        ] {
            let mut sc = config(Role::Server);
            sc.hooks.certificate = true;
            let mut cc = config(Role::Client);
            cc.request_ocsp = wanted;
            let mut s = Peer::new(&server, sc);
            let mut c = Peer::new(&client_context(&ca, version, version), cc);
            talk(&mut c, &mut s);
            let asked = SessionEvent::Question(Question::Certificate { servername: None, ocsp: wanted, offer: None });
            assert_eq!(s.events, [asked]);
            s.session.answer(Answer::Certificate { context: None, ocsp: staple }).unwrap();
            talk(&mut c, &mut s);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            let got = c.events.iter().find_map(|e| match e {
                SessionEvent::OcspResponse(response) => Some(response.clone()),
                _ => None,
            });
            assert_eq!(got, expected, "{version:x}");
        }
    }
}

#[test]
fn a_second_hello_after_a_retry_asks_no_second_question() {
    let ca = Id::authority("ca");
    let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
    server.set_ecdh_curve("P-384").unwrap();
    let mut sc = config(Role::Server);
    sc.hooks.client_hello = true;
    let client = client_context(&ca, TLS1_3, TLS1_3);
    client.set_ecdh_curve("P-256:P-384").unwrap();
    let mut s = Peer::new(&server, sc);
    let mut c = Peer::new(&client, config(Role::Client));
    talk(&mut c, &mut s);
    s.session.answer(Answer::ClientHello { session: None, alpn: None }).unwrap();
    talk(&mut c, &mut s);
    assert_eq!(c.state, Handshake::Done);
    let questions = s.events.iter().filter(|e| matches!(e, SessionEvent::Question(_))).count();
    assert_eq!(questions, 1);
    assert_eq!(c.session.ephemeral_key().unwrap().name.as_deref(), Some("secp384r1"));
}
