//! OpenSSL's errors as a TLS connection reports them.

use openssl::error::ErrorStack;

use crate::error::Error;

/// The error of a failed handshake, read or write, as Node builds it: the oldest entry of the queue gives the code, its
/// reason in capitals after `ERR_SSL_`; the newest gives the message.
pub(super) fn take() -> Error {
    let stack = ErrorStack::get();
    let errors = stack.errors();
    let (Some(first), Some(last)) = (errors.first(), errors.last()) else {
        return Error::new("ERR_SSL_UNKNOWN", "The TLS engine failed without a reason");
    };
    let reason = first.reason().unwrap_or("unknown");
    let code: String = reason.chars().map(|c| if c == ' ' { '_' } else { c.to_ascii_uppercase() }).collect();
    Error {
        library: first.library().map(str::to_owned),
        function: first.function().map(str::to_owned),
        reason: Some(reason.to_owned()),
        stack: errors[..errors.len() - 1].iter().rev().map(line).collect(),
        ..Error::new(format!("ERR_SSL_{code}"), line(last))
    }
}

fn line(error: &openssl::error::Error) -> String {
    format!(
        "error:{:08X}:{}:{}:{}:{}:{}:{}\n",
        error.code(),
        error.library().unwrap_or(""),
        error.function().unwrap_or(""),
        error.reason().unwrap_or(""),
        error.file(),
        error.line(),
        error.data().unwrap_or(""),
    )
}
