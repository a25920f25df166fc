//! Text in other code pages than UTF-8.

use napi::bindgen_prelude::*;
use napi_derive::napi;

use crate::text::CodePage;

/// Whether text of this code page can be read and written.
#[napi]
pub fn has_code_page(number: u32) -> bool {
    CodePage::by_number(number).is_some()
}

/// Null for an unknown code page.
#[napi]
pub fn decode_text(number: u32, bytes: &[u8]) -> Option<String> {
    CodePage::by_number(number).map(|page| page.decode(bytes))
}

/// Null for an unknown code page.
#[napi]
pub fn encode_text(number: u32, text: String) -> Option<Buffer> {
    CodePage::by_number(number).map(|page| page.encode(&text).into())
}
