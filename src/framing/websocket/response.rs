//! The opening handshake's response (RFC 6455, 4.2.2).

use std::fmt;

use base64::{engine::general_purpose::STANDARD, Engine};
use sha1::{Digest, Sha1};

use super::negotiate::{is_token, negotiate, Agreed, DeflateOptions};
use super::upgrade::Request;

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Fields that an acceptance has of its own, or cannot have.
const OF_ACCEPTANCE: &[&str] = &[
    "Connection",
    "Content-Length",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
    "Transfer-Encoding",
    "Upgrade",
];
/// The same of a rejection.
const OF_REJECTION: &[&str] = &["Connection", "Content-Length", "Transfer-Encoding"];

/// Why a response cannot be made as asked. Nothing of it has been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseError {
    /// Not a name and a value: a character that would end the line, or one that no name has.
    InvalidHeader(String),
    /// The handshake sets this field itself.
    ReservedHeader(String),
    /// The client has not offered this sub-protocol.
    ProtocolNotOffered(String),
    /// Not from 200 to 599.
    InvalidStatus(u16),
    /// A reason phrase with a character that would end the line.
    InvalidReason(String),
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseError::InvalidHeader(line) => write!(f, "invalid response header {line:?}"),
            ResponseError::ReservedHeader(name) => write!(f, "response header {name} is set by the handshake itself"),
            ResponseError::ProtocolNotOffered(name) => {
                write!(f, "the client has not offered the sub-protocol {name:?}")
            }
            ResponseError::InvalidReason(reason) => write!(f, "invalid reason phrase {reason:?}"),
            ResponseError::InvalidStatus(status) => write!(f, "invalid HTTP status {status}"),
        }
    }
}

impl std::error::Error for ResponseError {}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The whole response.
    pub response: Vec<u8>,
    pub agreed: Option<Agreed>,
    /// What `Sec-WebSocket-Extensions` says; `''` where there is none.
    pub extensions: String,
}

impl Request {
    /// The response that opens the WebSocket, and what is agreed on compression. `headers` are added to it.
    pub fn accept(
        &self,
        protocol: Option<&str>,
        deflate: &DeflateOptions,
        headers: &[(&str, &str)],
    ) -> Result<Acceptance, ResponseError> {
        check(headers, OF_ACCEPTANCE)?;
        let mut text =
            String::from("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
        push(&mut text, "Sec-WebSocket-Accept", &accept_key(&self.key));
        if let Some(protocol) = protocol {
            if !self.protocols.iter().any(|offered| offered == protocol) {
                return Err(ResponseError::ProtocolNotOffered(protocol.to_owned()));
            }
            push(&mut text, "Sec-WebSocket-Protocol", protocol);
        }
        let (agreed, extensions) = negotiate(&self.extensions, deflate).unzip();
        let extensions = extensions.unwrap_or_default();
        if !extensions.is_empty() {
            push(&mut text, "Sec-WebSocket-Extensions", &extensions);
        }
        for (name, value) in headers {
            push(&mut text, name, value);
        }
        text.push_str("\r\n");
        Ok(Acceptance { response: text.into_bytes(), agreed, extensions })
    }
}

/// A response that refuses, after which the connection ends. `status`: 200 to 599. `reason`: the phrase beside it; `None`
/// for the usual one. `headers` are added to it.
pub fn reject(
    status: u16,
    reason: Option<&str>,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<u8>, ResponseError> {
    if !(200..600).contains(&status) {
        return Err(ResponseError::InvalidStatus(status));
    }
    check(headers, OF_REJECTION)?;
    let reason = reason.unwrap_or_else(|| phrase(status));
    if !is_legal(reason) {
        return Err(ResponseError::InvalidReason(reason.to_owned()));
    }
    Ok(build_rejection(status, reason, headers, body))
}

/// The lines of `text`, ended by CRLF (the last one's may be missing), as names and values.
pub fn parse_headers(text: &str) -> Result<Vec<(&str, &str)>, ResponseError> {
    let lines = text.split("\r\n").filter(|line| !line.is_empty());
    let pairs = lines.map(|line| match line.split_once(':') {
        Some((name, value)) => Ok((name, value.trim_matches([' ', '\t']))),
        None => Err(ResponseError::InvalidHeader(line.to_owned())),
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    check(&pairs, &[])?;
    Ok(pairs)
}

/// Headers have been checked.
pub(super) fn build_rejection(status: u16, reason: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in headers {
        push(&mut text, name, value);
    }
    // An Upgrade field must be listed (RFC 9110, 7.8).
    let upgrade = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
    push(&mut text, "Connection", if upgrade { "close, Upgrade" } else { "close" });
    let bodiless = matches!(status, 204 | 304);
    if !bodiless {
        push(&mut text, "Content-Length", &body.len().to_string());
    }
    text.push_str("\r\n");
    [text.as_bytes(), if bodiless { &[] } else { body }].concat()
}

fn push(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push_str("\r\n");
}

fn check(headers: &[(&str, &str)], reserved: &[&str]) -> Result<(), ResponseError> {
    for (name, value) in headers {
        if !(is_token(name) && is_legal(value)) {
            return Err(ResponseError::InvalidHeader(format!("{name}: {value}")));
        }
        if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(ResponseError::ReservedHeader((*name).to_owned()));
        }
    }
    Ok(())
}

/// No CR, no LF, no NUL: nothing that could begin another field or end the head.
fn is_legal(value: &str) -> bool {
    value.bytes().all(|byte| byte == b'\t' || byte >= b' ' && byte != 127)
}

fn accept_key(key: &str) -> String {
    STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// The usual ones; others may go without (RFC 9112, 4).
pub(super) fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
