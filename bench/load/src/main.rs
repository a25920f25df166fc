//! `c4tls-load`: a lean TLS 1.3 client that puts load on one server, on loopback, bounded in count and time.
//!
//! Generator and server share the machine's cores, so the client spends as little as it can: one thread, one epoll
//! loop, rustls for the handshake (without checking the server's certificate) and a record layer in place afterwards.
//! It talks with its driver in JSON lines: see [`control`].

mod answers;
mod args;
mod control;
mod exchange;
mod failure;
mod handshake;
mod histogram;
mod record;
mod socket;
mod tls;
mod websocket;

use args::{Args, Mode};
use failure::{Failure, Result};
use std::process::ExitCode;
use std::time::Duration;

/// Exit status of a run that outlived `--limit`.
const TIMED_OUT: i32 = 3;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(error) => {
            eprintln!("c4tls-load: {error}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            control::failed(&error);
            eprintln!("c4tls-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    watch(args.limit)?;
    match args.mode {
        Mode::Handshake { .. } => handshake::run(args),
        Mode::Exchange { .. } | Mode::Hold { .. } => exchange::run(args),
    }
}

/// Ends the process when it is still alive after `limit`, whatever it is doing then.
fn watch(limit: Duration) -> Result<()> {
    std::thread::Builder::new()
        .name("watchdog".into())
        .spawn(move || {
            std::thread::sleep(limit);
            eprintln!("c4tls-load: still running after {} s", limit.as_secs());
            std::process::exit(TIMED_OUT);
        })
        .map(drop)
        .map_err(Failure::from)
}
