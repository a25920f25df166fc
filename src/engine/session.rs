//! TLS session over OpenSSL.
