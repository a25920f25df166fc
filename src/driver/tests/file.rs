use std::fs::File;
use std::io::{Read, Write};

use tempfile::NamedTempFile;

use super::sink::{Seen, Sink};
use super::*;
use crate::framing::Framing;
use crate::policy::limits::{CIPHERTEXT_BACKLOG, FILE_BLOCK, FILE_PROGRESS};

const STALLED: Seen = Seen::Other("stalled");
const DONE: Seen = Seen::FileDone { interrupted: false, error: None };
/// Far more than the kernel's buffers of both sides take.
const LARGE: usize = 64 << 20;

/// A peer that reads when it is asked to, and the server's end, with a limit on how long the kernel may take nothing.
fn pair(sink: &Arc<Sink>, with_tls: bool) -> (Arc<Server>, Box<dyn Read>, Arc<Connection>) {
    let (server, address) = listen(sink, |config| {
        config.framing = Some(Framing::Chunks);
        if !with_tls {
            config.start = StartOptions::clear();
        }
    });
    let tcp = connect(address);
    let peer: Box<dyn Read> = if with_tls { Box::new(handshake(tcp)) } else { Box::new(tcp) };
    let conn = adopted(sink, &server);
    sink.wait_other(conn.id(), "secure");
    conn.set_stall_timeout(Duration::from_millis(50));
    (server, peer, conn)
}

/// A file of so many bytes, none of them 0.
fn file(length: usize) -> (NamedTempFile, Vec<u8>) {
    let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 + 1).collect();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    (file, bytes)
}

/// A file of so many zeros.
fn zeros(length: usize) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(length as u64).unwrap();
    file
}

fn say(conn: &Arc<Connection>, bytes: &[u8]) {
    assert_eq!(conn.send(bytes, usize::MAX, true, true), Some(bytes.len()));
}

fn wait_for_done(sink: &Sink, conn: &Connection) -> Seen {
    sink.wait_for(conn.id(), |seen| matches!(seen, Seen::FileDone { .. }).then(|| seen.clone()))
}

/// What was told of the progress, in order.
fn progress(sink: &Sink, conn: &Connection) -> Vec<(u64, u64)> {
    let told = sink.seen(conn.id());
    told.iter()
        .filter_map(|seen| if let Seen::FileProgress(sent, total) = seen { Some((*sent, *total)) } else { None })
        .collect()
}

fn wait_for(sink: &Sink, conn: &Connection, wanted: Seen) {
    sink.wait_for(conn.id(), |seen| (*seen == wanted).then_some(()));
}

/// All that comes until the end.
fn rest(mut peer: Box<dyn Read>) -> Vec<u8> {
    let mut back = Vec::new();
    peer.read_to_end(&mut back).unwrap();
    back
}

#[test]
fn a_file_goes_between_what_is_sent_around_it() {
    for with_tls in [false, true] {
        for length in [0, 1, FILE_BLOCK, 1_000_003] {
            let sink = Sink::new();
            let (_server, peer, conn) = pair(&sink, with_tls);
            let (file, bytes) = file(length);
            say(&conn, b"head");
            assert!(conn.send_file(file.path().into()));
            say(&conn, b"tail");
            conn.finish(PATIENCE);
            assert!(!conn.send_file(file.path().into()), "it is closing");
            assert!(rest(peer) == [&b"head"[..], &bytes, b"tail"].concat());
            sink.wait_other(conn.id(), "closed");
            assert_eq!(wait_for_done(&sink, &conn), DONE);
            let told = progress(&sink, &conn);
            assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
            assert!(told.len() as u64 <= length as u64 / FILE_PROGRESS + 1);
            let whole = (length as u64, length as u64);
            assert_eq!(told.last(), (length > 0).then_some(&whole));
        }
    }
}

#[test]
fn a_peer_that_does_not_read_holds_the_file_back() {
    for with_tls in [false, true] {
        let sink = Sink::new();
        let (_server, mut peer, conn) = pair(&sink, with_tls);
        let file = zeros(LARGE);
        assert!(conn.send_file(file.path().into()));
        wait_for(&sink, &conn, STALLED);
        // Two blocks, and what is encrypted, each record of it with its frame.
        assert!(conn.pending() <= 2 * FILE_BLOCK + 2 * CIPHERTEXT_BACKLOG, "{}", conn.pending());
        let (sent, total) = *progress(&sink, &conn).last().unwrap();
        assert!(sent < total && total == LARGE as u64, "{sent}");
        assert!(!conn.send_file(file.path().into()), "one at a time");
        // What comes behind it waits.
        say(&conn, b"behind");
        assert!(!sink.has(conn.id(), &DONE));
        let mut back = vec![1; LARGE + 6];
        peer.read_exact(&mut back).unwrap();
        assert!(back[..LARGE].iter().all(|byte| *byte == 0) && back[LARGE..] == *b"behind");
        wait_for(&sink, &conn, DONE);
        // And another one.
        sink.forget(conn.id());
        assert!(conn.send_file(file.path().into()));
        peer.read_exact(&mut back[..LARGE]).unwrap();
        wait_for(&sink, &conn, DONE);
    }
}

#[test]
fn an_interrupted_file_ends_where_it_is() {
    for with_tls in [false, true] {
        let sink = Sink::new();
        let (_server, peer, conn) = pair(&sink, with_tls);
        let file = zeros(LARGE);
        conn.interrupt_file();
        assert!(conn.send_file(file.path().into()));
        say(&conn, b"behind");
        wait_for(&sink, &conn, STALLED);
        conn.interrupt_file();
        assert_eq!(wait_for_done(&sink, &conn), Seen::FileDone { interrupted: true, error: None });
        let (sent, total) = *progress(&sink, &conn).last().unwrap();
        assert_eq!(total, LARGE as u64);
        conn.finish(PATIENCE);
        let back = rest(peer);
        let (zeros, behind) = back.split_at(sent as usize);
        assert!(zeros.iter().all(|byte| *byte == 0) && zeros.len() < LARGE);
        assert_eq!(behind, b"behind");
    }
}

#[test]
fn a_file_that_cannot_be_sent_costs_the_connection_nothing() {
    let sink = Sink::new();
    let (_server, peer, conn) = pair(&sink, true);
    for (path, code) in [
        ("/no/such/file", "ENOENT"),
        ("", "ENOENT"),
        ("a\0b", "EINVAL"),
        (std::env::temp_dir().to_str().unwrap(), "EISDIR"),
        #[cfg(unix)]
        ("/dev/zero", "ERR_C4TLS_NOT_A_FILE"),
    ] {
        sink.forget(conn.id());
        assert!(conn.send_file(path.into()));
        say(&conn, b"x");
        let failed = Seen::FileDone { interrupted: false, error: Some(code.to_owned()) };
        assert_eq!(wait_for_done(&sink, &conn), failed, "{path:?}");
        assert!(progress(&sink, &conn).is_empty());
    }
    conn.finish(PATIENCE);
    assert!(rest(peer).iter().all(|byte| *byte == b'x'));
}

/// What `change` makes of a file while it is sent, and how that ends: its end, and as many bytes as the peer got.
fn changed(change: impl FnOnce(&File)) -> (Seen, usize) {
    let sink = Sink::new();
    let (_server, peer, conn) = pair(&sink, true);
    let file = zeros(LARGE);
    assert!(conn.send_file(file.path().into()));
    say(&conn, b"behind");
    conn.finish(PATIENCE);
    wait_for(&sink, &conn, STALLED);
    change(file.as_file());
    let back = rest(peer);
    let length = back.len() - b"behind".len();
    assert!(back[..length].iter().all(|byte| *byte == 0) && &back[length..] == b"behind");
    let (sent, total) = *progress(&sink, &conn).last().unwrap();
    assert_eq!((sent, total), (length as u64, LARGE as u64));
    (wait_for_done(&sink, &conn), length)
}

#[test]
fn a_file_that_shrinks_ends_with_an_error() {
    let (end, length) = changed(|file| file.set_len(10).unwrap());
    assert_eq!(end, Seen::FileDone { interrupted: false, error: Some("ERR_C4TLS_FILE_TRUNCATED".to_owned()) });
    assert!(length < LARGE);
}

#[test]
fn a_file_that_grows_is_sent_as_it_was() {
    assert_eq!(changed(|file| file.set_len(2 * LARGE as u64).unwrap()), (DONE, LARGE));
}

#[test]
fn an_end_of_the_connection_is_the_files_end() {
    for by_peer in [false, true] {
        let sink = Sink::new();
        let (_server, peer, conn) = pair(&sink, false);
        let file = zeros(LARGE);
        assert!(conn.send_file(file.path().into()));
        wait_for(&sink, &conn, STALLED);
        match by_peer {
            true => drop(peer),
            false => conn.close(true),
        }
        sink.wait_other(conn.id(), "closed");
        assert!(!sink.seen(conn.id()).iter().any(|seen| matches!(seen, Seen::FileDone { .. })));
        assert_eq!(conn.pending(), 0);
        assert!(!conn.send_file(file.path().into()));
        conn.interrupt_file();
    }
}

#[test]
fn an_owner_who_does_not_listen_is_not_told_of_the_progress() {
    let sink = Sink::new();
    let (_server, mut peer, conn) = pair(&sink, false);
    sink.full.store(true, std::sync::atomic::Ordering::SeqCst);
    let file = zeros(LARGE);
    assert!(conn.send_file(file.path().into()));
    peer.read_exact(&mut vec![0; LARGE]).unwrap();
    wait_for(&sink, &conn, DONE);
    assert_eq!(progress(&sink, &conn), [(LARGE as u64, LARGE as u64)]);
}
