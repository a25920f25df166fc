//! The opening handshake's request (RFC 6455, 4.2.1).

use super::limits::{Limits, HEADERS, HEAD_BYTES};
use super::negotiate::{is_token, is_well_formed};
use super::response;

/// Collects a request until its head is complete. Each byte is looked at once as it comes and once when it is parsed,
/// however they are split.
#[derive(Debug)]
pub struct Upgrade {
    most_bytes: usize,
    most_fields: usize,
    head: Vec<u8>,
    /// Bytes of the line under way, its end not counted.
    line: usize,
    /// Whether the first line has ended.
    past_first: bool,
    /// Bytes of empty lines in front of the request.
    blank: usize,
}

/// A request to open a WebSocket, found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// As it stands in the first line: a path with its query, or an absolute URI.
    pub uri: String,
    /// `Host`.
    pub host: String,
    /// `Origin`; browsers always send it.
    pub origin: Option<String>,
    /// What `Sec-WebSocket-Protocol` offers, in its order.
    pub protocols: Vec<String>,
    /// What `Sec-WebSocket-Extensions` offers, as one comma list; `''` for nothing.
    pub extensions: String,
    /// Names and values in their order, bytes above 127 as ISO 8859-1.
    pub headers: Vec<(String, String)>,
    /// `Sec-WebSocket-Key`: 24 characters of Base64.
    pub key: String,
}

/// Why a request is refused, in HTTP's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Header fields that the status asks for.
    pub headers: &'static [(&'static str, &'static str)],
    /// For people; the response's body, unless `bodiless`.
    pub message: &'static str,
    pub bodiless: bool,
}

impl Refusal {
    const fn new(status: u16, message: &'static str) -> Self {
        Refusal { status, headers: &[], message, bodiless: false }
    }

    const fn with(self, headers: &'static [(&'static str, &'static str)]) -> Self {
        Refusal { headers, ..self }
    }

    /// The request did not come in time.
    pub const REQUEST_TIMEOUT: Refusal = Refusal::new(408, "no request in time");
    /// The program did not answer in time.
    pub const NO_ANSWER: Refusal = Refusal::new(503, "no answer in time");

    /// The whole response. The connection ends with it.
    pub fn response(&self) -> Vec<u8> {
        let headers = [&[("Content-Type", "text/plain")], self.headers].concat();
        let body = if self.bodiless { "" } else { self.message };
        response::build_rejection(self.status, response::phrase(self.status), &headers, body.as_bytes())
    }
}

const BAD_REQUEST: Refusal = Refusal::new(400, "malformed HTTP request");
const VERSION_13: &[(&str, &str)] = &[("Sec-WebSocket-Version", "13")];
const UPGRADE_REQUIRED: Refusal =
    Refusal::new(426, "this is a WebSocket server").with(&[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]);

impl Default for Upgrade {
    fn default() -> Self {
        Upgrade::new(&Limits::default())
    }
}

impl Upgrade {
    /// With the limits on heads.
    pub fn new(limits: &Limits) -> Self {
        Upgrade {
            most_bytes: limits.head_bytes.min(HEAD_BYTES),
            most_fields: limits.headers.min(HEADERS),
            head: Vec::new(),
            line: 0,
            past_first: false,
            blank: 0,
        }
    }

    /// Takes the next bytes. Gives the request once its head is complete, and how many of `bytes` belong to it: those
    /// behind are the first of the WebSocket. After a request or a refusal an `Upgrade` is used up.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Option<(Request, usize)>, Refusal> {
        let mut start = 0;
        if self.head.is_empty() {
            // One empty line may stand in front (RFC 9112, 2.2).
            start = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.blank += start;
            if self.blank > 2 {
                return Err(BAD_REQUEST);
            }
        }
        let room = self.most_bytes - self.head.len();
        for (at, &byte) in bytes.iter().enumerate().skip(start) {
            if at - start == room {
                return Err(if self.past_first {
                    Refusal::new(431, "request header fields too large")
                } else {
                    Refusal::new(414, "request target too long")
                });
            }
            match byte {
                b'\n' if self.line == 0 => {
                    self.head.extend_from_slice(&bytes[start..=at]);
                    return parse(&self.head, self.most_fields).map(|request| Some((request, at + 1)));
                }
                b'\n' => {
                    self.line = 0;
                    self.past_first = true;
                }
                b'\r' => {}
                // Whoever speaks another protocol is not waited for.
                0..=8 | 11..=31 | 127 => return Err(BAD_REQUEST),
                _ => self.line += 1,
            }
        }
        self.head.extend_from_slice(&bytes[start..]);
        Ok(None)
    }

    /// Bytes that wait for the rest of the head.
    pub fn buffered(&self) -> usize {
        self.head.len()
    }
}

/// Header fields of one name.
struct Fields<'a>(&'a [httparse::Header<'a>]);

impl<'a> Fields<'a> {
    fn all(&self, name: &'static str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The value of a field that may stand there once only.
    fn single(&self, name: &'static str, twice: &'static str) -> Result<Option<String>, Refusal> {
        let mut values = self.all(name);
        let value = values.next().map(latin1);
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::new(400, twice)),
        }
    }

    /// The elements of a comma list, however many fields it is spread over.
    fn list(&self, name: &'static str) -> Vec<String> {
        let joined = self.joined(name);
        joined.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    }

    fn joined(&self, name: &'static str) -> String {
        self.all(name).map(latin1).collect::<Vec<_>>().join(", ")
    }

    fn has_element(&self, name: &'static str, wanted: &str) -> bool {
        self.list(name).iter().any(|one| one.eq_ignore_ascii_case(wanted))
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn parse(head: &[u8], most_fields: usize) -> Result<Request, Refusal> {
    let mut storage = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut storage[..most_fields]);
    match request.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(BAD_REQUEST),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::new(431, "too many request header fields")),
        Err(httparse::Error::Version) => return Err(Refusal::new(505, "HTTP/1.1 is required")),
        Err(_) => return Err(BAD_REQUEST),
    }
    let (Some(method), Some(uri), Some(version)) = (request.method, request.path, request.version) else {
        return Err(BAD_REQUEST);
    };
    let fields = Fields(request.headers);
    if version == 0 {
        return Err(Refusal::new(505, "HTTP/1.1 is required"));
    }
    if method != "GET" {
        let refusal = Refusal::new(405, "the method must be GET").with(&[("Allow", "GET")]);
        // The answer to HEAD ends with its head (RFC 9110, 9.3.2).
        return Err(Refusal { bodiless: method == "HEAD", ..refusal });
    }
    let absolute = uri.get(..8).is_some_and(|start| {
        let start = start.to_ascii_lowercase();
        ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| start.starts_with(scheme))
    });
    if !(uri.starts_with('/') || absolute) || uri.contains('#') {
        return Err(Refusal::new(400, "invalid request target"));
    }
    // A body would be taken for frames.
    let length = fields.single("content-length", "several Content-Length fields")?;
    if fields.all("transfer-encoding").next().is_some() || length.is_some_and(|length| length != "0") {
        return Err(Refusal::new(400, "the request must not have a body"));
    }
    let host = fields.single("host", "several Host fields")?.ok_or(Refusal::new(400, "no Host field"))?;
    if !(fields.has_element("upgrade", "websocket") && fields.has_element("connection", "upgrade")) {
        return Err(UPGRADE_REQUIRED);
    }
    match fields.single("sec-websocket-version", "several Sec-WebSocket-Version fields")?.as_deref() {
        Some("13") => {}
        Some(_) => return Err(Refusal::new(426, "unknown Sec-WebSocket-Version").with(UPGRADE_REQUIRED.headers)),
        None => return Err(Refusal::new(400, "no Sec-WebSocket-Version field").with(VERSION_13)),
    }
    let key = fields.single("sec-websocket-key", "several Sec-WebSocket-Key fields")?;
    let key = key.filter(|key| is_nonce(key)).ok_or(Refusal::new(400, "no valid Sec-WebSocket-Key field"))?;
    let protocols = fields.list("sec-websocket-protocol");
    if !protocols.iter().all(|one| is_token(one)) || has_repetition(&protocols) {
        return Err(Refusal::new(400, "invalid Sec-WebSocket-Protocol field"));
    }
    let extensions = fields.joined("sec-websocket-extensions");
    if !is_well_formed(&extensions) {
        return Err(Refusal::new(400, "invalid Sec-WebSocket-Extensions field"));
    }
    let origin = fields.single("origin", "several Origin fields")?;
    let headers = fields.0.iter().map(|field| (field.name.to_owned(), latin1(field.value))).collect();
    Ok(Request { uri: uri.to_owned(), host, origin, protocols, extensions, headers, key })
}

/// Base64 of 16 bytes.
fn is_nonce(key: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.strip_suffix("==").is_some_and(|digits| digits.len() == 22 && digits.bytes().all(digit))
}

fn has_repetition(names: &[String]) -> bool {
    let mut sorted: Vec<_> = names.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}
