//! Certificates and keys: reading them, making them, keeping passwords sealed.
