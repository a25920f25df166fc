//! permessage-deflate's parameters (RFC 7692, 5 and 7.1), and the grammar of extensions (RFC 6455, 9.1).

use super::frame::Role;

const NAME: &str = "permessage-deflate";

/// What a server wants of permessage-deflate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateOptions {
    /// Whether it is agreed at all. Default true.
    pub enabled: bool,
    /// Whether what the server sends may refer to earlier messages: smaller, for 370 KiB a connection from its first
    /// compressed message on, and nothing compressed once for many. Default false.
    pub server_takeover: bool,
    /// The same for what clients send: 46 KiB a connection. Default false.
    pub client_takeover: bool,
    /// Window of what the server sends, 9 to 15, as a power of two in bytes. Default 15.
    pub server_window_bits: u8,
    /// Window that clients are asked to keep to where they can, 8 to 15. Default 15.
    pub client_window_bits: u8,
    /// zlib's level, 1 to 9. Default 2: JSON of 16 KiB takes half of level 6's time and comes out 2% larger; level 1 takes
    /// a third, and comes out 46% larger.
    pub level: u8,
    /// Messages of fewer bytes are sent as they are. Default 1,024: below that a deflater's own work costs more.
    pub threshold: usize,
}

impl Default for DeflateOptions {
    fn default() -> Self {
        DeflateOptions {
            enabled: true,
            server_takeover: false,
            client_takeover: false,
            server_window_bits: 15,
            client_window_bits: 15,
            level: 2,
            threshold: 1024,
        }
    }
}

/// How one side compresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// Whether a message may refer to earlier ones.
    pub takeover: bool,
    /// 8 to 15.
    pub window_bits: u8,
}

/// What both sides have agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    pub server: Direction,
    pub client: Direction,
}

impl Agreed {
    /// How the peer of `role` compresses.
    pub fn incoming(&self, role: Role) -> Direction {
        match role {
            Role::Server => self.client,
            Role::Client => self.server,
        }
    }

    /// How `role` compresses.
    pub fn outgoing(&self, role: Role) -> Direction {
        match role {
            Role::Server => self.server,
            Role::Client => self.client,
        }
    }
}

/// An extension as it stands in the header. A parameter's value is without its quotes.
struct Extension<'a> {
    name: &'a str,
    parameters: Vec<(&'a str, Option<&'a str>)>,
}

/// The first of the offers in `extensions` that can be met, and its answer for `Sec-WebSocket-Extensions`.
pub(super) fn negotiate(extensions: &str, options: &DeflateOptions) -> Option<(Agreed, String)> {
    if !options.enabled {
        return None;
    }
    parse(extensions)?.iter().filter(|one| one.name.eq_ignore_ascii_case(NAME)).find_map(|one| answer(one, options))
}

/// Whether `extensions` keeps to the grammar.
pub(super) fn is_well_formed(extensions: &str) -> bool {
    parse(extensions).is_some()
}

fn answer(offer: &Extension<'_>, options: &DeflateOptions) -> Option<(Agreed, String)> {
    let mut server = Direction { takeover: options.server_takeover, window_bits: options.server_window_bits };
    let mut client = Direction { takeover: options.client_takeover, window_bits: 15 };
    // Only a client that names it can be asked for a smaller window.
    let mut client_can = None;
    let mut server_asked = false;
    for (at, &(name, value)) in offer.parameters.iter().enumerate() {
        if offer.parameters[..at].iter().any(|(other, _)| *other == name) {
            return None;
        }
        match (name, value) {
            ("server_no_context_takeover", None) => server.takeover = false,
            ("client_no_context_takeover", None) => client.takeover = false,
            ("server_max_window_bits", Some(value)) => {
                // zlib cannot compress with a window of 256 bytes.
                server.window_bits = server.window_bits.min(window_bits(value).filter(|bits| *bits > 8)?);
                server_asked = true;
            }
            ("client_max_window_bits", None) => client_can = Some(15),
            ("client_max_window_bits", Some(value)) => client_can = Some(window_bits(value)?),
            _ => return None,
        }
    }
    if let Some(most) = client_can {
        client.window_bits = options.client_window_bits.min(most);
    }
    let mut text = NAME.to_owned();
    if !server.takeover {
        text.push_str("; server_no_context_takeover");
    }
    if !client.takeover {
        text.push_str("; client_no_context_takeover");
    }
    if server_asked || server.window_bits < 15 {
        text.push_str(&format!("; server_max_window_bits={}", server.window_bits));
    }
    if client.window_bits < 15 {
        text.push_str(&format!("; client_max_window_bits={}", client.window_bits));
    }
    Some((Agreed { server, client }, text))
}

/// 8 to 15, without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    match value {
        "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15" => value.parse().ok(),
        _ => None,
    }
}

/// Letters, digits and some signs (RFC 9110, 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// `None` when it breaks the grammar. Empty elements of the list are passed over (RFC 9110, 5.6.1.2).
fn parse(extensions: &str) -> Option<Vec<Extension<'_>>> {
    let mut all = Vec::new();
    // A value can be quoted, but is a token all the same, so that neither commas nor semicolons stand in quotes.
    for element in extensions.split(',').map(trim).filter(|element| !element.is_empty()) {
        let mut pieces = element.split(';').map(trim);
        let name = pieces.next().filter(|name| is_token(name))?;
        let parameters = pieces.map(parameter).collect::<Option<_>>()?;
        all.push(Extension { name, parameters });
    }
    Some(all)
}

fn parameter(text: &str) -> Option<(&str, Option<&str>)> {
    let Some((name, value)) = text.split_once('=') else {
        return is_token(text).then_some((text, None));
    };
    let (name, value) = (trim(name), trim(value));
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => value,
    };
    (is_token(name) && is_token(value)).then_some((name, Some(value)))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
