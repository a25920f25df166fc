//! Certificates and keys: making and reading them.

mod generate;

pub use generate::generate_certificate;
