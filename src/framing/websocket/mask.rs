//! The XOR of a payload with its frame's masking key (RFC 6455, 5.3).

/// A masking key that remembers how far into its four bytes the payload has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Key(u32);

impl Key {
    pub(super) fn new(bytes: [u8; 4]) -> Self {
        Key(u32::from_ne_bytes(bytes))
    }

    /// The key as it stands `count` payload bytes further on.
    pub(super) fn advanced(self, count: usize) -> Self {
        let mut bytes = self.0.to_ne_bytes();
        bytes.rotate_left(count % 4);
        Key::new(bytes)
    }

    /// Masks or unmasks the next bytes of the payload in place. Words of 16 bytes: the compiler makes SIMD of them.
    pub(super) fn apply(self, payload: &mut [u8]) {
        let word = u128::from_ne_bytes([self.0.to_ne_bytes(); 4].as_flattened().try_into().unwrap_or_default());
        let (words, rest) = payload.as_chunks_mut::<16>();
        for bytes in words {
            *bytes = (u128::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(self.0.to_ne_bytes().iter().cycle()) {
            *byte ^= key;
        }
    }
}
