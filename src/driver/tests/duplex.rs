use super::sink::{Seen, Sink};
use super::*;
use crate::driver::WriteStatus;

/// Carries ciphertext between two connections, `piece` bytes a time, until `done`.
fn carry(sink: &Sink, ends: [&Arc<Connection>; 2], piece: usize, done: impl Fn() -> bool) {
    until("the ends are done", done, || {
        for (from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            while let Some(bytes) = sink.take_cipher(from.id()) {
                for part in bytes.chunks(piece) {
                    to.receive(part);
                }
                from.cipher_written();
            }
        }
        sink.wait_change();
    });
}

#[test]
fn two_ends_talk_through_any_stream_in_any_pieces() {
    for piece in [1, 7, 65_536] {
        let sink = Sink::new();
        let client = Connection::over_duplex(sink.clone()).unwrap();
        let server = Connection::over_duplex(sink.clone()).unwrap();
        client.start(options(Context::new(None, 0x0303, 0x0304).unwrap(), Role::Client, Hooks::default()));
        server.start(options(context(), Role::Server, Hooks::default()));
        let ends = [&client, &server];
        let secure = |conn: &Connection| sink.names(conn.id()).contains(&"secure");
        carry(&sink, ends, piece, || secure(&client) && secure(&server));

        client.read_start();
        server.read_start();
        let sent: Vec<u8> = (0..40_000u32).map(|i| i as u8).collect();
        assert_eq!(client.write(&sent, true), WriteStatus::Pending);
        carry(&sink, ends, piece, || sink.data(server.id()).len() >= sent.len());
        assert!(sink.data(server.id()) == sent);

        client.shutdown();
        let closed = |conn: &Connection| {
            sink.has(conn.id(), &Seen::Eof { truncated: false }) || sink.names(conn.id()).contains(&"closed")
        };
        carry(&sink, ends, piece, || closed(&server) && sink.names(client.id()).contains(&"cipher end"));
        server.close(false);
        sink.wait_other(server.id(), "closed");
        client.close(false);
        sink.wait_other(client.id(), "closed");
    }
}

#[test]
fn what_came_before_the_end_is_delivered_before_it() {
    let sink = Sink::new();
    let client = Connection::over_duplex(sink.clone()).unwrap();
    let server = Connection::over_duplex(sink.clone()).unwrap();
    client.start(options(Context::new(None, 0x0303, 0x0304).unwrap(), Role::Client, Hooks::default()));
    server.start(options(context(), Role::Server, Hooks::default()));
    let secure = |conn: &Connection| sink.names(conn.id()).contains(&"secure");
    carry(&sink, [&client, &server], usize::MAX, || secure(&client) && secure(&server));

    // More than one turn of the engine, and its end, before the server reads.
    let sent: Vec<u8> = (0..1_000_000u32).map(|i| (i >> 8) as u8).collect();
    assert_eq!(client.write(&sent, true), WriteStatus::Pending);
    let drained = |conn: &Connection| sink.names(conn.id()).contains(&"drain");
    carry(&sink, [&client, &server], usize::MAX, || drained(&client));
    server.receive_eof();
    server.read_start();
    sink.wait_for(server.id(), |event| matches!(event, Seen::Eof { .. }).then_some(()));
    let received = sink.data(server.id());
    assert!(received == sent, "{} of {}", received.len(), sent.len());
}
