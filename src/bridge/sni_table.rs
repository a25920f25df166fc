//! Contexts by server name, shared by a listener and its duplex connections.

use std::sync::Arc;

use napi::bindgen_prelude::*;
use napi::Env;
use napi_derive::napi;

use super::secure_context::SecureContext;
use super::throw::OrThrow;
use crate::engine;

#[napi]
#[derive(Default)]
pub struct SniTable {
    table: Arc<engine::SniTable>,
}

impl SniTable {
    pub(super) fn table(&self) -> Arc<engine::SniTable> {
        self.table.clone()
    }
}

#[napi]
impl SniTable {
    #[napi(constructor)]
    pub fn new() -> Self {
        SniTable::default()
    }

    /// `*` in the pattern stands for any run of characters but a dot; the last one added that matches wins.
    #[napi]
    pub fn add(&self, env: &Env, pattern: String, context: ClassInstance<SecureContext>) -> Result<()> {
        self.table.add(&pattern, context.context().or_throw(env)?);
        Ok(())
    }
}
