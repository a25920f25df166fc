//! Whose TLS it is.

use super::platform::Platform;
use super::{Context, SessionConfig, TlsSession};
use crate::error::Result;

/// What sessions are made of. A cheap clone.
#[derive(Clone)]
pub enum Provider {
    OpenSsl(Context),
    Platform(Platform),
}

impl Provider {
    /// What the provider does not support is an error, as it would be for every session.
    pub fn check(&self, config: &SessionConfig) -> Result<()> {
        match self {
            Provider::OpenSsl(_) => Ok(()),
            Provider::Platform(platform) => platform.check(config),
        }
    }

    pub fn session(&self, config: SessionConfig) -> Result<Box<dyn TlsSession>> {
        match self {
            Provider::OpenSsl(context) => context.session(config),
            Provider::Platform(platform) => platform.session(config),
        }
    }
}

impl From<Context> for Provider {
    fn from(context: Context) -> Self {
        Provider::OpenSsl(context)
    }
}

impl From<Platform> for Provider {
    fn from(platform: Platform) -> Self {
        Provider::Platform(platform)
    }
}
