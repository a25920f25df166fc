//! Listeners whose TLS is the operating system's.

use std::io::{Read, Write};

use openssl::ssl::{SslConnector, SslVersion};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::sink::{Seen, Sink};
use super::*;
use crate::engine::platform::{Identity, Platform, Versions};
use crate::engine::Provider;
use crate::framing::{Framing, Overflow};

fn provider(versions: Versions) -> Provider {
    let made = generate_certificate(&["localhost".to_owned()], 1, KeyType::Ec).unwrap();
    let identity = Identity::Pem { chain: made.cert.as_bytes(), key: made.key.as_bytes() };
    Platform::server(identity, versions).unwrap().into()
}

/// A server of lines.
fn serve(sink: &Arc<Sink>, configure: impl FnOnce(&mut ServerConfig)) -> (Arc<Server>, SocketAddr) {
    listen(sink, |config| {
        config.start.provider = Some(provider(Versions::default()));
        config.framing = Some(Framing::delimiter(b"\n", false, 100, Overflow::Fail).unwrap());
        configure(config);
    })
}

fn failure(sink: &Sink, conn: &Connection) -> String {
    sink.wait_for(conn.id(), |seen| if let Seen::Error(code) = seen { Some(code.clone()) } else { None })
}

fn line(text: &str) -> Seen {
    Seen::Message(text.as_bytes().to_vec(), true)
}

#[test]
fn it_carries_messages_and_files() {
    const LENGTH: usize = 1 << 20;
    let sink = Sink::new();
    let (server, address) = serve(&sink, |_| {});
    let client = std::thread::spawn(move || {
        let mut tls = handshake(Dribble(connect(address)));
        tls.write_all(b"one\ntwo\n").unwrap();
        let mut back = vec![1; 5 + LENGTH];
        tls.read_exact(&mut back).unwrap();
        tls.shutdown().unwrap();
        tls.read_to_end(&mut back).unwrap();
        back
    });
    let conn = adopted(&sink, &server);
    sink.wait_for(conn.id(), |seen| (*seen == line("two")).then_some(()));
    assert_eq!(sink.seen(conn.id()), [Seen::Other("secure"), line("one"), line("two")]);
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(LENGTH as u64).unwrap();
    assert_eq!(conn.send(b"hello", 100, true, true), Some(5));
    assert!(conn.send_file(file.path().into()));
    sink.wait_for(conn.id(), |seen| matches!(seen, Seen::FileDone { interrupted: false, error: None }).then_some(()));
    sink.wait_for(conn.id(), |seen| (*seen == Seen::Eof { truncated: false }).then_some(()));
    assert_eq!(conn.send(b"last", 100, true, true), Some(4));
    conn.finish(PATIENCE);
    let back = client.join().unwrap();
    assert_eq!((&back[..5], back.len(), &back[5 + LENGTH..]), (&b"hello"[..], LENGTH + 9, &b"last"[..]));
    sink.wait_other(conn.id(), "closed");
}

#[test]
fn it_serves_clients_of_its_own() {
    let sink = Sink::new();
    let (server, address) = serve(&sink, |_| {});
    let client = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let connector = native_tls::TlsConnector::builder().danger_accept_invalid_certs(true).build().unwrap();
            let tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            let mut tls = tokio_native_tls::TlsConnector::from(connector).connect("localhost", tcp).await.unwrap();
            tls.write_all(b"hello\n").await.unwrap();
            let mut back = Vec::new();
            tls.read_to_end(&mut back).await.unwrap();
            back
        })
    });
    let conn = adopted(&sink, &server);
    sink.wait_for(conn.id(), |seen| (*seen == line("hello")).then_some(()));
    assert_eq!(conn.with_session(|s| s.peer_chain()), Some(Vec::new()));
    assert_eq!(conn.send(b"good bye", 100, true, true), Some(8));
    conn.finish(PATIENCE);
    assert_eq!(client.join().unwrap(), b"good bye");
}

#[test]
fn a_client_without_its_protocols_is_told() {
    let sink = Sink::new();
    let (server, address) = serve(&sink, |config| {
        config.start.provider = Some(provider(Versions { min: 0x0303, max: 0x0303 }));
    });
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    let error = builder.build().connect("localhost", connect(address)).unwrap_err();
    assert!(error.to_string().contains("alert protocol version"), "{error}");
    let conn = adopted(&sink, &server);
    assert_eq!(failure(&sink, &conn), "ERR_C4TLS_PLATFORM");
    sink.wait_other(conn.id(), "closed");
}

#[test]
fn a_handshake_that_is_none_ends() {
    let sink = Sink::new();
    let (server, address) = serve(&sink, |config| config.start.handshake_timeout = Some(Duration::from_millis(50)));
    // Silence, and something else.
    for (said, code) in [(&b""[..], "ERR_TLS_HANDSHAKE_TIMEOUT"), (b"GET / HTTP/1.1\r\n\r\n", "ERR_C4TLS_PLATFORM")] {
        let mut tcp = connect(address);
        tcp.write_all(said).unwrap();
        let conn = adopted(&sink, &server);
        assert_eq!(failure(&sink, &conn), code);
        tcp.read_to_end(&mut Vec::new()).unwrap();
        sink.wait_other(conn.id(), "closed");
        sink.forget(server.id());
    }
}

#[test]
fn what_it_cannot_do_is_refused_at_the_start() {
    let sink = Sink::new();
    let (server, address) = serve(&sink, |config| config.eager = true);
    let mut tcp = connect(address);
    let conn = adopted(&sink, &server);
    let mut start = options(context(), Role::Server, Hooks { keylog: true, ..Hooks::default() });
    start.provider = Some(provider(Versions::default()));
    conn.start(start);
    assert_eq!(failure(&sink, &conn), "ERR_C4TLS_PROVIDER_UNSUPPORTED");
    assert_eq!(tcp.read(&mut [0; 1]).unwrap(), 0);
}
