//! Input that is not TLS, or not good TLS. Nothing here may panic, and every end is an `Err` that stays.

use crate::engine::testing::*;
use crate::engine::{Context, Handshake, Role, TlsSession};

fn server() -> (Context, Id) {
    let ca = Id::authority("ca");
    (server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30)), ca)
}

fn code_for(server: &Context, input: &[u8]) -> (Option<String>, Option<u8>) {
    let mut s = Peer::new(server, config(Role::Server));
    s.step(input);
    let first = s.code().map(str::to_owned);
    if let Some(error) = &s.error {
        // The end is an end: more input changes nothing.
        s.session.feed(b"more");
        assert_eq!(s.session.handshake(s.now).unwrap_err(), *error);
        assert_eq!(s.session.read(&mut [0; 9], &|| s.now).unwrap_err(), *error);
        assert_eq!(s.session.write(b"x").unwrap_err(), *error);
    }
    let alert = s.alert();
    (first, alert)
}

#[test]
fn what_is_not_tls_is_refused() {
    let (server, _) = server();
    let cases: &[(&[u8], &str)] = &[
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "ERR_SSL_HTTP_REQUEST"),
        (b"CONNECT x:443 HTTP/1.1\r\n\r\n", "ERR_SSL_HTTPS_PROXY_REQUEST"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "ERR_SSL_WRONG_VERSION_NUMBER"),
        (&[0xff; 64], "ERR_SSL_WRONG_VERSION_NUMBER"),
    ];
    for (input, code) in cases {
        assert_eq!(code_for(&server, input), (Some((*code).to_owned()), Some(70)), "{input:?}");
    }
}

#[test]
fn malformed_hellos_get_an_alert() {
    let (server, _) = server();
    // A record that is too long; a hello with nothing in it; an alert; application data; a message that is no hello.
    let cases: &[(&[u8], &str, Option<u8>)] = &[
        (&[22, 3, 1, 0xff, 0xff, 1, 0, 0, 0], "ERR_SSL_DATA_LENGTH_TOO_LONG", Some(22)),
        (&[22, 3, 1, 0, 4, 1, 0, 0, 0], "ERR_SSL_LENGTH_TOO_SHORT", Some(50)),
        (&[21, 3, 1, 0, 2, 2, 40], "ERR_SSL_UNEXPECTED_MESSAGE", Some(10)),
        (&[23, 3, 1, 0, 1, 0], "ERR_SSL_UNEXPECTED_MESSAGE", Some(10)),
        (&[22, 3, 1, 0, 4, 2, 0, 0, 0], "ERR_SSL_UNEXPECTED_MESSAGE", Some(10)),
        (&[22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff], "ERR_SSL_EXCESSIVE_MESSAGE_SIZE", Some(47)),
    ];
    for (input, code, alert) in cases {
        assert_eq!(code_for(&server, input), (Some((*code).to_owned()), *alert), "{input:?}");
    }
}

#[test]
fn a_truncated_hello_waits_for_more() {
    let (server, ca) = server();
    let hello = Peer::new(&client_context(&ca, 0, 0), config(Role::Client)).step(&[]);
    for end in 0..hello.len() {
        let mut s = Peer::new(&server, config(Role::Server));
        assert!(s.step(&hello[..end]).is_empty());
        assert_eq!((s.state, s.error.as_ref()), (Handshake::Pending, None), "{end}");
    }
}

#[test]
fn a_hello_with_any_byte_changed_never_panics() {
    let (server, ca) = server();
    for version in [TLS1_2, TLS1_3] {
        let mut cc = config(Role::Client);
        cc.servername = Some("localhost".into());
        cc.alpn = b"\x02h2".to_vec();
        let hello = Peer::new(&client_context(&ca, version, version), cc).step(&[]);
        for at in 0..hello.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = hello.clone();
                bad[at] ^= flip;
                let mut sc = config(Role::Server);
                sc.alpn = b"\x02h2".to_vec();
                sc.hooks.client_hello = at % 2 == 0;
                Peer::new(&server, sc).step(&bad);
            }
        }
    }
}

#[test]
fn a_broken_record_after_the_handshake_is_answered_with_an_alert() {
    for version in [TLS1_2, TLS1_3] {
        let (server, ca) = server();
        let mut s = Peer::new(&server, config(Role::Server));
        let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
        talk(&mut c, &mut s);
        c.session.write(b"secret").unwrap();
        let mut record = c.step(&[]);
        *record.last_mut().unwrap() ^= 1;
        let alert = s.step(&record);
        assert_eq!(s.code(), Some("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"));
        assert!(s.clear.is_empty());
        c.step(&alert);
        assert_eq!(c.code(), Some("ERR_SSL_SSL/TLS_ALERT_BAD_RECORD_MAC"));
        let error = c.error.unwrap();
        assert_eq!(error.library.as_deref(), Some("SSL routines"));
        assert_eq!(error.reason.as_deref(), Some("ssl/tls alert bad record mac"));
        assert!(error.message.contains("SSL alert number 20"), "{}", error.message);
    }
}

#[test]
fn clear_text_after_the_handshake_is_refused() {
    let (server, ca) = server();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client_context(&ca, 0, 0), config(Role::Client));
    talk(&mut c, &mut s);
    let alert = s.step(b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(s.code(), Some("ERR_SSL_BAD_RECORD_TYPE"));
    c.step(&alert);
    assert_eq!(c.code(), Some("ERR_SSL_SSL/TLS_ALERT_UNEXPECTED_MESSAGE"));
}

#[test]
fn one_sessions_error_is_not_anothers() {
    let (server, ca) = server();
    let mut s = Peer::new(&server, config(Role::Server));
    let mut c = Peer::new(&client_context(&ca, 0, 0), config(Role::Client));
    // Leaves something in this thread's queue of errors.
    // SAFETY: an invalid argument that OpenSSL reports as an error.
    unsafe { openssl_sys::d2i_X509(std::ptr::null_mut(), &mut b"junk".as_ptr(), 4) };
    talk(&mut c, &mut s);
    assert_eq!((c.error.as_ref(), s.error.as_ref()), (None, None));
    let session: &dyn TlsSession = &*s.session;
    assert_eq!(session.protocol(), "TLSv1.3");
}
