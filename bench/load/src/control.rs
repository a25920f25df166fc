//! The talk with the driver: JSON lines out on standard output, words in on standard input.
//!
//! `{"event":"ready"}` says that the warm-up is over and nothing is in flight; with `--wait` the measured part begins at
//! the line `go`. `{"event":"result",...}` is the last line of a good run, `{"event":"error","message":...}` of a bad one.
//! `hold` says ready when all connections are open and stays until the line `stop` or the end of standard input.

use crate::failure::{Failure, Result};
use crate::histogram::Histogram;
use std::io::{BufRead, Write};
use std::time::Duration;

/// What the measured part did.
pub struct Report<'a> {
    pub mode: &'a str,
    /// Handshakes, or requests answered, or connections still open.
    pub operations: u64,
    /// Connections that failed.
    pub failures: u64,
    pub first_failure: Option<&'a Failure>,
    /// Handshakes that resumed a session.
    pub resumed: u64,
    /// Application bytes, both directions together.
    pub bytes: u64,
    pub elapsed: Duration,
    pub client_cpu: Duration,
    /// Microseconds.
    pub latency: &'a Histogram,
}

pub fn ready() -> Result<()> {
    say("{\"event\":\"ready\"}")
}

pub fn result(report: &Report<'_>) -> Result<()> {
    let seconds = report.elapsed.as_secs_f64().max(1e-9);
    let first_failure = report.first_failure.map_or("null".into(), |failure| quoted(&failure.to_string()));
    say(&format!(
        "{{\"event\":\"result\",\"mode\":{mode},\"operations\":{operations},\"failures\":{failures},\
         \"firstFailure\":{first_failure},\"resumed\":{resumed},\"bytes\":{bytes},\"seconds\":{seconds:.6},\
         \"perSecond\":{rate:.3},\"megabytesPerSecond\":{megabytes:.3},\"clientCpuSeconds\":{cpu:.6},\
         \"p50\":{p50},\"p99\":{p99},\"max\":{max}}}",
        mode = quoted(report.mode),
        operations = report.operations,
        failures = report.failures,
        resumed = report.resumed,
        bytes = report.bytes,
        rate = report.operations as f64 / seconds,
        megabytes = report.bytes as f64 / 1e6 / seconds,
        cpu = report.client_cpu.as_secs_f64(),
        p50 = report.latency.quantile(0.5),
        p99 = report.latency.quantile(0.99),
        max = report.latency.max(),
    ))
}

pub fn failed(failure: &Failure) {
    // With standard output gone there is nobody left to tell; standard error and the exit status remain.
    let _ = say(&format!("{{\"event\":\"error\",\"message\":{}}}", quoted(&failure.to_string())));
}

/// Waits for the line `go`.
pub fn wait_for_go() -> Result<()> {
    match next_word()?.as_deref() {
        Some("go") => Ok(()),
        Some(word) => Err(Failure::new(format!("expected go, not {word}"))),
        None => Err(Failure::new("standard input ended before go")),
    }
}

/// Waits for the line `stop` or the end of standard input.
pub fn wait_for_stop() -> Result<()> {
    match next_word()?.as_deref() {
        Some("stop") | None => Ok(()),
        Some(word) => Err(Failure::new(format!("expected stop, not {word}"))),
    }
}

/// CPU time of this process so far, user and system together.
pub fn cpu_time() -> Result<Duration> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for one rusage, which getrusage fills when it returns 0.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        usage.assume_init()
    };
    let span = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    Ok(span(usage.ru_utime) + span(usage.ru_stime))
}

fn next_word() -> Result<Option<String>> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_for_json() {
        assert_eq!(super::quoted("a \"b\"\\\n"), "\"a \\\"b\\\"\\\\\\u000a\"");
    }
}
