//! The system's stack against ours.

use openssl::pkcs12::Pkcs12;

use crate::engine::platform::{Identity, Platform, Versions};
use crate::engine::testing::*;
use crate::engine::{Answer, Handshake, Hooks, Role, SessionConfig};

const TLS1_0: u16 = 0x0301;
const TLS1_1: u16 = 0x0302;

fn named(name: &str) -> SessionConfig {
    SessionConfig { servername: Some(name.into()), ..config(Role::Client) }
}

const UNSUPPORTED: &str = "ERR_C4TLS_PROVIDER_UNSUPPORTED";

fn pkcs12(id: &Id) -> Vec<u8> {
    Pkcs12::builder().cert(&id.certificate).pkey(&id.key).build2("secret").unwrap().to_der().unwrap()
}

fn server(id: &Id, from_pkcs12: bool) -> Platform {
    let (file, chain, key) = (pkcs12(id), id.cert_pem(), id.key_pem());
    let identity = match from_pkcs12 {
        true => Identity::Pkcs12 { der: &file, passphrase: "secret" },
        false => Identity::Pem { chain: &chain, key: &key },
    };
    Platform::server(identity, Versions::default()).unwrap()
}

fn server_of(id: &Id, min: u16, max: u16) -> crate::error::Result<Platform> {
    Platform::server(Identity::Pem { chain: &id.cert_pem(), key: &id.key_pem() }, Versions { min, max })
}

#[test]
fn its_server_serves_our_client() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Rsa, Some(&ca), 30);
    for (from_pkcs12, piece) in [(true, usize::MAX), (false, 1)] {
        let session = server(&id, from_pkcs12).session(config(Role::Server)).unwrap();
        let mut s = Peer::of(session);
        let mut c = Peer::new(&client_context(&ca, 0, 0), named("localhost"));
        talk_in_pieces(&mut c, &mut s, piece);
        assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
        assert_eq!((c.state, s.state), (Handshake::Done, Handshake::Done));
        assert_eq!(c.session.verify_error(), None);
        let data = vec![b'x'; 100_000];
        assert_eq!(s.session.write(&data).unwrap(), data.len());
        s.session.close_notify();
        s.session.close_notify();
        c.session.write(b"hello").unwrap();
        talk_in_pieces(&mut c, &mut s, piece);
        assert_eq!((c.clear.len(), c.closed, &s.clear[..]), (data.len(), true, &b"hello"[..]));
        c.session.close_notify();
        talk_in_pieces(&mut c, &mut s, piece);
        assert!(s.closed);
        assert_eq!((s.session.unread(), s.error), (0, None));
    }
}

#[test]
fn its_client_checks_our_server_inside_the_handshake() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    let context = server_context(&id);
    let trusting = Platform::client(&[&ca.cert_pem()]).unwrap();
    let wary = Platform::client(&[]).unwrap();
    for (platform, name, good) in [(&trusting, "localhost", true), (&wary, "localhost", false), (&trusting, "x", false)]
    {
        let mut s = Peer::new(&context, config(Role::Server));
        let mut c = Peer::of(platform.session(named(name)).unwrap());
        talk(&mut c, &mut s);
        if good {
            assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
            assert_eq!(c.session.peer_chain(), [id.der()]);
        } else {
            assert_eq!(c.code(), Some("ERR_C4TLS_PLATFORM"));
            assert!(s.code().is_some_and(|code| code.contains("ALERT")), "{:?}", s.error);
            let error = c.error.clone();
            assert_eq!(c.session.handshake(c.now).err(), error);
        }
    }
}

#[test]
fn what_it_cannot_do_is_said_before_the_first_byte() {
    let id = Id::authority("localhost");
    let platform = server(&id, false);
    let base = || config(Role::Server);
    let verify = crate::engine::Verify { request: true, require: false, optional: false };
    let cases = [
        SessionConfig { alpn: b"\x02h2".to_vec(), ..base() },
        SessionConfig { verify, ..base() },
        SessionConfig { hooks: Hooks { keylog: true, ..Hooks::default() }, ..base() },
        SessionConfig { hooks: Hooks { psk: true, ..Hooks::default() }, ..base() },
        SessionConfig { hooks: Hooks { certificate: true, ..Hooks::default() }, ..base() },
        SessionConfig { session: Some(vec![]), ..base() },
        SessionConfig { request_ocsp: true, ..base() },
        config(Role::Client),
    ];
    for case in cases {
        assert_eq!(platform.session(case).err().unwrap().code, UNSUPPORTED);
    }
    let mut session = platform.session(base()).unwrap();
    let answer = Answer::Certificate { context: None, ocsp: None };
    assert_eq!(session.answer(answer).unwrap_err().code, UNSUPPORTED);
    assert_eq!(session.renegotiate().unwrap_err().code, UNSUPPORTED);
}

#[test]
fn an_identity_that_cannot_be_read_is_refused_without_its_secret() {
    let id = Id::authority("localhost");
    let (file, chain, key) = (pkcs12(&id), id.cert_pem(), id.key_pem());
    let other = Id::authority("other").key_pem();
    for identity in [
        Identity::Pkcs12 { der: b"junk", passphrase: "" },
        Identity::Pkcs12 { der: &file, passphrase: "mistaken" },
        Identity::Pkcs12 { der: &file[..file.len() / 2], passphrase: "secret" },
        Identity::Pem { chain: b"", key: &key },
        Identity::Pem { chain: &chain, key: b"junk" },
        Identity::Pem { chain: &chain, key: &other },
    ] {
        let error = Platform::server(identity, Versions::default()).err().unwrap();
        assert_eq!(error.code, "ERR_C4TLS_PLATFORM");
        assert!(!error.message.contains("secret") && !error.message.contains("mistaken"), "{}", error.message);
    }
}

#[test]
fn protocols_have_limits() {
    let ca = Id::authority("ca");
    let id = Id::new("localhost", Kind::Ec, Some(&ca), 30);
    for (limits, client, spoken) in [
        ((0, 0), (0, 0), Some("TLSv1.2")),
        ((TLS1_2, TLS1_2), (0, 0), Some("TLSv1.2")),
        ((TLS1_2, TLS1_3), (TLS1_2, TLS1_2), Some("TLSv1.2")),
        ((0, TLS1_2), (TLS1_3, TLS1_3), None),
        ((0, TLS1_1), (TLS1_2, TLS1_2), None),
        ((TLS1_0, TLS1_1), (TLS1_2, 0), None),
    ] {
        let platform = server_of(&id, limits.0, limits.1).unwrap();
        let mut s = Peer::of(platform.session(config(Role::Server)).unwrap());
        let mut c = Peer::new(&client_context(&ca, client.0, client.1), named("localhost"));
        talk(&mut c, &mut s);
        if let Some(spoken) = spoken {
            assert_eq!((c.error.as_ref(), c.session.protocol()), (None, spoken), "{limits:x?}");
        } else {
            assert_eq!(s.code(), Some("ERR_C4TLS_PLATFORM"), "{limits:x?}");
            // The alert came.
            assert!(c.code().is_some_and(|code| code.contains("ALERT")), "{:?}", c.error);
        }
    }
    for (min, max) in [(TLS1_2, TLS1_1), (0x0300, 0), (0, 0x0300), (0x0305, 0)] {
        assert_eq!(server_of(&id, min, max).err().unwrap().code, UNSUPPORTED, "{min:x} {max:x}");
    }
    #[cfg(not(windows))]
    assert_eq!(server_of(&id, TLS1_3, TLS1_3).err().unwrap().code, UNSUPPORTED);
}

#[test]
fn junk_ends_the_handshake() {
    let mut s = Peer::of(server(&Id::authority("localhost"), false).session(config(Role::Server)).unwrap());
    s.step(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(s.code(), Some("ERR_C4TLS_PLATFORM"));
}
