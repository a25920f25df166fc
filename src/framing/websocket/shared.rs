//! A message that is encoded once and sent to many.

use std::sync::Arc;

use super::deflate::Deflater;
use super::encoder::{frames, EncodeError, Encoder};
use super::frame::Kind;
use super::pool::Profile;
use super::Config;

/// A whole message for the connections of one server, which need no copy each.
///
/// It is compressed where the receiver has agreed to messages that do not depend on each other
/// (`server_no_context_takeover`), once for each window size in use; others get it as it is, which is always allowed.
pub struct Shared {
    kind: Kind,
    payload: Box<[u8]>,
    config: Config,
    plain: Arc<[u8]>,
    compressed: Vec<(Profile, Arc<[u8]>)>,
}

impl Shared {
    /// `config` is the servers'; text must be UTF-8.
    pub fn new(config: &Config, kind: Kind, payload: &[u8]) -> Self {
        let compressible = config.deflate.enabled && payload.len() >= config.deflate.threshold;
        Shared {
            kind,
            payload: if compressible { payload.into() } else { Box::default() },
            config: *config,
            plain: encode(config, kind, false, payload),
            compressed: Vec::new(),
        }
    }

    /// The bytes to send on `encoder`'s connection, a server's.
    pub fn bytes_for(&mut self, encoder: &Encoder) -> Result<Arc<[u8]>, EncodeError> {
        let Some(profile) = encoder.shared_profile()?.filter(|_| !self.payload.is_empty()) else {
            return Ok(self.plain.clone());
        };
        if let Some((_, bytes)) = self.compressed.iter().find(|(other, _)| *other == profile) {
            return Ok(bytes.clone());
        }
        let mut payload = Vec::new();
        Deflater::independently(profile).part(&self.payload, true, &mut payload);
        let bytes = if payload.len() < self.payload.len() {
            encode(&self.config, self.kind, true, &payload)
        } else {
            self.plain.clone()
        };
        self.compressed.push((profile, bytes.clone()));
        Ok(bytes)
    }
}

fn encode(config: &Config, kind: Kind, rsv1: bool, payload: &[u8]) -> Arc<[u8]> {
    let mut out = Vec::new();
    frames(kind.into(), rsv1, payload, true, config.max_frame.max(1), || None, &mut out);
    out.into()
}
