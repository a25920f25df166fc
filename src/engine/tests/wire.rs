//! A server's session and a client's end of its records that can say anything.

use crate::engine::record::Forger;
use crate::engine::testing::*;
use crate::engine::{Context, Role, SessionEvent};

pub struct Named {
    pub number: u16,
    pub name: &'static str,
}

/// The suites of sessions that settle.
pub const SUITES: &[Named] = &[
    Named { number: 0x1301, name: "TLS_AES_128_GCM_SHA256" },
    Named { number: 0x1302, name: "TLS_AES_256_GCM_SHA384" },
    Named { number: 0x1303, name: "TLS_CHACHA20_POLY1305_SHA256" },
];

impl Named {
    /// A server's, which takes this suite alone, and a client's.
    pub fn contexts(&self) -> (Context, Context) {
        let ca = Id::authority("ca");
        let server = server_context(&Id::new("localhost", Kind::Ec, Some(&ca), 30));
        server.set_cipher_suites(self.name).unwrap();
        (server, client_context(&ca, TLS1_3, TLS1_3))
    }
}

pub struct Wire {
    pub s: Peer,
    pub forger: Forger,
}

impl Wire {
    /// Behind the handshake and the tickets. With `settles` the server's session is in its lighter form, otherwise it
    /// stays OpenSSL's own.
    pub fn new(suite: &Named, settles: bool) -> Wire {
        let (server, client) = suite.contexts();
        Wire::between(&server, &client, suite, settles)
    }

    pub fn between(server: &Context, client: &Context, suite: &Named, settles: bool) -> Wire {
        let mut cc = config(Role::Client);
        cc.hooks.keylog = true;
        let (mut s, mut c) = (Peer::new(server, config(Role::Server)), Peer::new(client, cc));
        s.settles = settles;
        let hello = c.step(&[]);
        let flight = s.step(&hello);
        let finished = c.step(&flight);
        let tickets = s.step(&finished);
        assert_eq!((s.settled, s.error.as_ref()), (settles, None));
        let secret = |label: &str| {
            let digits = |event: &SessionEvent| match event {
                SessionEvent::Keylog(line) => {
                    let line = String::from_utf8(line.clone()).unwrap();
                    line.starts_with(label).then(|| line.split_whitespace().nth(2).unwrap().to_owned())
                }
                _ => None,
            };
            c.events.iter().find_map(digits).unwrap().into_bytes()
        };
        let (client, server) = (secret("CLIENT_TRAFFIC_SECRET_0"), secret("SERVER_TRAFFIC_SECRET_0"));
        let mut forger = Forger::new(suite.number, &client, &server);
        assert_eq!(forger.read(&tickets).unwrap().len(), 2);
        Wire { s, forger }
    }

    /// Gives `bytes` to the server; what it says.
    pub fn tell(&mut self, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let out = self.s.step(bytes);
        self.forger.read(&out).unwrap()
    }
}
