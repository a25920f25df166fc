//! Certificate compression (RFC 8879): the algorithms, and the libraries that OpenSSL does them with.

use crate::engine::Context;

/// As RFC 8879 numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Compression {
    Zlib = 1,
    Brotli = 2,
    Zstd = 3,
}

impl Compression {
    /// Those that OpenSSL was built with.
    pub fn available() -> Vec<Compression> {
        let Ok(context) = Context::new(None, 0, 0) else { return Vec::new() };
        let has = |algorithm: &Compression| context.set_certificate_compression(&[*algorithm]).is_ok();
        [Compression::Zlib, Compression::Brotli, Compression::Zstd].into_iter().filter(has).collect()
    }

    /// Node's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Zlib => "zlib",
            Compression::Brotli => "brotli",
            Compression::Zstd => "zstd",
        }
    }

    pub fn from_name(name: &str) -> Option<Compression> {
        [Compression::Zlib, Compression::Brotli, Compression::Zstd].into_iter().find(|a| a.name() == name)
    }
}

/// The libraries come as crates that nothing here calls: these references bring in what OpenSSL does, wherever the
/// linker meets it. (See scripts/openssl for OpenSSL's side.)
#[cfg(unix)]
mod libraries {
    use {compu_brotli_sys as _, libz_sys as _, zstd_sys as _};

    macro_rules! referenced {
        ($($name:ident)*) => {
            #[allow(non_snake_case)]
            mod called {
                extern "C" {
                    $(pub fn $name();)*
                }
            }
            #[used]
            static REFERENCED: &[unsafe extern "C" fn()] = &[$(called::$name),*];
        };
    }

    referenced! {
        compress uncompress deflateInit_ deflate deflateEnd inflateInit_ inflate inflateEnd zError
        BrotliEncoderCreateInstance BrotliEncoderDestroyInstance BrotliEncoderHasMoreOutput BrotliEncoderCompress
        BrotliEncoderCompressStream BrotliDecoderCreateInstance BrotliDecoderDestroyInstance
        BrotliDecoderHasMoreOutput BrotliDecoderIsFinished BrotliDecoderGetErrorCode BrotliDecoderErrorString
        BrotliDecoderDecompress BrotliDecoderDecompressStream
        ZSTD_isError ZSTD_getErrorName ZSTD_compress ZSTD_decompress ZSTD_createCStream_advanced ZSTD_initCStream
        ZSTD_freeCStream ZSTD_CStreamInSize ZSTD_compressStream2 ZSTD_flushStream ZSTD_endStream
        ZSTD_createDStream_advanced ZSTD_initDStream ZSTD_freeDStream ZSTD_DStreamInSize ZSTD_decompressStream
    }
}
