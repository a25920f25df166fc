use std::io::Read;
use std::net::{IpAddr, Ipv6Addr};

use super::sink::{Seen, Sink};
use super::*;
use crate::driver::Visitor;
use crate::policy::Access;

fn only_loopback(config: &mut ServerConfig) {
    config.access = Some(Access::new(&["127.0.0.*"], &[]));
}

fn nobody(config: &mut ServerConfig) {
    config.access = Some(Access::new(&["*"], &["127.*"]));
}

fn changed(configure: impl FnOnce(&mut ServerConfig)) -> ServerConfig {
    let mut config = config();
    configure(&mut config);
    config
}

#[test]
fn whoever_may_not_connect_is_closed_without_an_event() {
    let sink = Sink::new();
    let (server, address) = listen(&sink, |config| {
        nobody(config);
        config.max_connections = 1;
    });
    for _ in 0..3 {
        assert_eq!(connect(address).read(&mut [0; 1]).unwrap_or(0), 0);
    }
    assert!(sink.events(server.id()).is_empty());
    assert_eq!(server.pending(), 0);
    // The lists are those of the moment, and the refused count nowhere.
    server.configure(changed(|config| {
        only_loopback(config);
        config.max_connections = 1;
    }));
    let _tls = handshake(connect(address));
    let conn = adopted(&sink, &server);
    sink.wait_other(conn.id(), "secure");
    assert_eq!(sink.events(server.id()).len(), 1);
}

#[test]
fn an_owner_who_is_asked_has_the_last_word() {
    for allowed in [false, true] {
        let sink = Sink::new();
        let (server, address) = listen(&sink, |config| {
            if allowed {
                only_loopback(config);
            } else {
                nobody(config);
            }
            config.ask = true;
        });
        let tcp = connect(address);
        let visitor = Visitor { address: "127.0.0.1".into(), port: tcp.local_addr().unwrap().port(), allowed };
        let client = std::thread::spawn(move || drop(handshake(tcp)));
        let conn = adopted(&sink, &server);
        assert_eq!(sink.events(server.id()), [Seen::Accept(conn.id(), Some(visitor))]);
        conn.start(options(context(), Role::Server, Hooks::default()));
        sink.wait_other(conn.id(), "secure");
        client.join().unwrap();
    }
}

#[test]
fn an_ipv4_client_of_an_ipv6_socket_is_an_ipv4_client() {
    let all = IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let Ok(bound) = Listener::tcp(all, 0, 16, BindOptions::default()) else { return };
    let sink = Sink::new();
    let config = changed(|config| {
        only_loopback(config);
        config.eager = true;
    });
    let server = Server::start(sink.clone(), bound, config).unwrap();
    let tcp = connect((Ipv4Addr::LOCALHOST, server.address().unwrap().port).into());
    let visitor = Visitor { address: "127.0.0.1".into(), port: tcp.local_addr().unwrap().port(), allowed: true };
    let conn = adopted(&sink, &server);
    assert_eq!(sink.events(server.id()), [Seen::Accept(conn.id(), Some(visitor))]);
    // `::1` is not on the list.
    let other = TcpStream::connect((Ipv6Addr::LOCALHOST, server.address().unwrap().port));
    assert_eq!(other.and_then(|mut tcp| tcp.read(&mut [0; 1])).unwrap_or(0), 0);
    assert_eq!(sink.events(server.id()).len(), 1);
}
