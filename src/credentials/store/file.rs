//! Where a store's bytes come from.

use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{refusal, Place, MAX_STORE};
use crate::error::{Error, Result};

/// A longer text is no file's name: Linux's `PATH_MAX`.
const MAX_NAME: usize = 4096;

/// The bytes of a store, at most [`MAX_STORE`], wiped when they go. A file's name stays out of errors: whoever gives a
/// private key where a name should be has it in no log.
pub(super) fn content(store: &[u8], place: Place) -> Result<Zeroizing<Vec<u8>>> {
    match place {
        Place::File => read(&path(store)?),
        Place::Either => match path(store).ok().filter(|path| path.is_file()) {
            Some(path) => read(&path),
            None => blob(store),
        },
        Place::Blob => blob(store),
    }
}

fn blob(store: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    match store.len() {
        0 => Err(refusal("The store is empty.")),
        1..=MAX_STORE => Ok(Zeroizing::new(store.to_vec())),
        _ => Err(too_large()),
    }
}

fn path(name: &[u8]) -> Result<PathBuf> {
    if name.is_empty() {
        return Err(refusal("The name of the store's file is empty."));
    }
    if name.len() > MAX_NAME || name.contains(&0) || name.contains(&b'\n') {
        return Err(refusal("The store is not the name of a file."));
    }
    Ok(std::str::from_utf8(name).map_err(|_| refusal("The name of the store's file is not UTF-8."))?.into())
}

fn read(path: &PathBuf) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: &std::io::Error| {
        let error = Error::system(error, "open");
        Error { message: format!("The store's file cannot be read ({}).", error.code), ..refusal("") }
    };
    // Opening a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(|e| failed(&e))?;
    if !metadata.is_file() {
        return Err(refusal("The store's file is no regular file."));
    }
    let file = File::open(path).map_err(|e| failed(&e))?;
    // Of its final size at once: growing would leave copies behind that nobody wipes.
    let expected = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if expected > MAX_STORE {
        return Err(too_large());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
    file.take(MAX_STORE as u64 + 1).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    match bytes.len() {
        0 => Err(refusal("The store is empty.")),
        1..=MAX_STORE => Ok(bytes),
        _ => Err(too_large()),
    }
}

fn too_large() -> Error {
    refusal(format!("The store is larger than {} MiB.", MAX_STORE >> 20))
}
