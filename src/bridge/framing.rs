//! How JavaScript says where messages end.

use std::time::Duration;

use napi::bindgen_prelude::*;
use napi_derive::napi;

use super::params::seconds;
use crate::error::{Error as CoreError, Result as CoreResult};
use crate::framing::{Framing, Overflow};
use crate::policy::limits;

#[napi(object, object_to_js = false)]
pub struct FramingOptions<'env> {
    /// `chunks`, `delimiter`, `lines` or `record`.
    pub kind: String,
    /// Of a delimiter: 1 to 65,536 bytes.
    pub delimiter: Option<BufferSlice<'env>>,
    /// The delimiter, or the end of a line, stays in the message; default false.
    pub keep: Option<bool>,
    /// Of a delimiter and of lines: bytes in front of the end; default 1 MiB.
    pub limit: Option<f64>,
    /// Of a delimiter: a message above the limit is ERR_C4TLS_MESSAGE_TOO_LARGE, otherwise it comes in parts.
    pub fail_on_overflow: Option<bool>,
    /// Milliseconds after which a part of a message is given when nothing more comes; default 0: at the end.
    pub timeout: Option<f64>,
    /// Of a record, in bytes.
    pub length: Option<f64>,
}

impl FramingOptions<'_> {
    pub(super) fn quiet(&self) -> Option<Duration> {
        self.timeout.map(|timeout| seconds(timeout / 1000.0)).filter(|timeout| !timeout.is_zero())
    }

    pub(super) fn framing(&self) -> CoreResult<Framing> {
        let limit = self.limit.map_or(limits::MESSAGE_LIMIT, |limit| limit as usize);
        match &*self.kind {
            "chunks" => Ok(Framing::Chunks),
            "lines" => Ok(Framing::lines(limit, self.keep.unwrap_or(false))),
            "record" => Framing::record(self.length.unwrap_or(0.0) as usize),
            "delimiter" => {
                let delimiter = self.delimiter.as_deref().unwrap_or_default();
                if delimiter.len() > limits::DELIMITER_LENGTH {
                    let message = format!("A delimiter has {} bytes at most", limits::DELIMITER_LENGTH);
                    return Err(CoreError::new("ERR_INVALID_ARG_VALUE", message));
                }
                let overflow = match self.fail_on_overflow {
                    Some(true) => Overflow::Fail,
                    _ => Overflow::Flush,
                };
                Framing::delimiter(delimiter, self.keep.unwrap_or(false), limit, overflow)
            }
            kind => Err(CoreError::new("ERR_INVALID_ARG_VALUE", format!("No such framing: {kind}"))),
        }
    }
}
