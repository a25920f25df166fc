//! Shards that are lent to their owner's thread.

use std::sync::atomic::Ordering;

use super::*;
use crate::driver::shard::Shard;

/// Says a byte, and waits until it was told.
fn say(client: &mut SslStream<TcpStream>, sink: &Sink, conn: &Connection) {
    let before = sink.data(conn.id()).len();
    client.write_all(b"x").unwrap();
    while sink.data(conn.id()).len() == before {
        sink.wait_change();
    }
}

/// Makes the sink an owner that is behind, until a shard is on loan to it `often` times.
fn lend(client: &mut SslStream<TcpStream>, sink: &Sink, conn: &Connection, often: usize) {
    sink.behind.store(true, Ordering::Release);
    sink.borrows.store(true, Ordering::Release);
    until("the shard is lent", || sink.loans.load(Ordering::Acquire) >= often, || say(client, sink, conn));
}

/// A shard that is ours. It goes back when a test fails, too: others need it.
struct Borrowed(&'static Shard);

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

fn borrow(client: &mut SslStream<TcpStream>, sink: &Sink, conn: &Connection) -> Borrowed {
    loop {
        lend(client, sink, conn, sink.loans.load(Ordering::Acquire) + 1);
        // Its thread may have been faster.
        if let Some(shard) = sink.take_loan() {
            sink.borrows.store(false, Ordering::Release);
            return Borrowed(shard);
        }
    }
}

#[test]
fn a_shard_on_loan_is_run_by_its_borrower_and_then_by_itself_again() {
    let sink = Sink::new();
    let (_server, mut client, conn) = reading(&sink);
    let shard = borrow(&mut client, &sink, &conn);
    let before = sink.data(conn.id()).len();
    client.write_all(b"y").unwrap();
    until("the borrower looks", || sink.data(conn.id()).len() > before, || shard.0.turn());
    assert!(sink.is_teller());
    // What a borrower writes is the task's to send too.
    conn.write(b"answer", false);
    shard.0.turn();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!((&answer, shard.0.is_fit()), (b"answer", true));
    drop(shard);
    say(&mut client, &sink, &conn);
    assert!(!sink.is_teller());
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
}

#[test]
fn a_shard_takes_itself_back_from_an_owner_that_does_not_come() {
    let sink = Sink::new();
    let (_server, mut client, conn) = reading(&sink);
    lend(&mut client, &sink, &conn, 3);
    say(&mut client, &sink, &conn);
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
}

#[test]
fn what_takes_long_waits_for_the_shard_itself() {
    let sink = Sink::new();
    let (_server, mut client, conn) = reading(&sink);
    let shard = borrow(&mut client, &sink, &conn);
    // More than a borrower encrypts at a time.
    let much = vec![7; 1 << 20];
    conn.write(&much, false);
    shard.0.turn();
    assert!(!shard.0.is_fit());
    drop(shard);
    let mut came = vec![0; much.len()];
    client.read_exact(&mut came).unwrap();
    assert!(came == much);
    conn.close(false);
    sink.wait_other(conn.id(), "closed");
}
