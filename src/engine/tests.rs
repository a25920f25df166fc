//! Two sessions in memory.

use crate::engine::testing::*;
use crate::engine::{Handshake, Role};

#[test]
fn both_versions_and_key_types_shake_hands() {
    for kind in [Kind::Ec, Kind::Rsa] {
        let ca = Id::authority("ca");
        let id = Id::new("localhost", kind, Some(&ca), 30);
        let server = server_context(&id);
        for version in [TLS1_2, TLS1_3] {
            let mut s = Peer::new(&server, config(Role::Server));
            let mut c = Peer::new(&client_context(&ca, version, version), config(Role::Client));
            talk(&mut c, &mut s);
            assert_eq!((s.error.as_ref(), c.error.as_ref()), (None, None));
            assert_eq!((s.state, c.state), (Handshake::Done, Handshake::Done));
            assert_eq!(c.session.verify_error(), None);
            assert_eq!(c.session.peer_chain(), [id.der(), ca.der()]);
            println!("{:?} {:?} {:?}", c.session.cipher(), c.session.ephemeral_key(), s.session.shared_sigalgs());
        }
    }
}
