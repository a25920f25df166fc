//! A file on its way to a peer. Threads that may wait read it block by block; the connection's task takes what is there.

use std::fs::{File, Metadata};
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::policy::limits;

/// Gives as many bytes as the file had when it was opened.
pub(super) struct FileSource {
    state: State,
    total: u64,
    /// Of `total`, given so far.
    read: u64,
}

enum State {
    Named(PathBuf),
    Opening(JoinHandle<Result<Opened>>),
    Open(Opened),
    Reading(JoinHandle<(Opened, io::Result<()>)>),
    /// At the end, or failed.
    Over,
}

struct Opened {
    file: File,
    /// Of the file, when it was opened.
    size: u64,
    block: Vec<u8>,
}

impl FileSource {
    pub fn new(path: PathBuf) -> Self {
        FileSource { state: State::Named(path), total: 0, read: 0 }
    }

    /// The file's size; 0 before it is open.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes given so far.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// Appends the next block, of at most [`limits::FILE_BLOCK`] bytes, to `out`; false at the end. `pool`: whose
    /// blocking threads open and read. Errors: those of the system, `EISDIR`, `ERR_C4TLS_NOT_A_FILE` for what is neither
    /// a file nor a directory, `ERR_C4TLS_FILE_TRUNCATED` when it has become shorter since it was opened.
    pub fn poll_block(&mut self, pool: &Handle, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<bool>> {
        loop {
            match std::mem::replace(&mut self.state, State::Over) {
                State::Named(path) => self.state = State::Opening(pool.spawn_blocking(move || Opened::new(&path))),
                State::Opening(mut opening) => match Pin::new(&mut opening).poll(cx) {
                    Poll::Pending => {
                        self.state = State::Opening(opening);
                        return Poll::Pending;
                    }
                    Poll::Ready(opened) => {
                        let opened = opened.map_err(|_| broken()).and_then(|opened| opened)?;
                        self.total = opened.size;
                        self.state = State::Open(opened);
                    }
                },
                State::Open(mut opened) => {
                    let next = (self.total - self.read).min(limits::FILE_BLOCK as u64);
                    if next == 0 {
                        return Poll::Ready(Ok(false));
                    }
                    self.state = State::Reading(pool.spawn_blocking(move || {
                        let outcome = opened.fill(next as usize);
                        (opened, outcome)
                    }));
                }
                State::Reading(mut reading) => match Pin::new(&mut reading).poll(cx) {
                    Poll::Pending => {
                        self.state = State::Reading(reading);
                        return Poll::Pending;
                    }
                    Poll::Ready(done) => {
                        let (opened, outcome) = done.map_err(|_| broken())?;
                        outcome.map_err(|e| match e.kind() {
                            io::ErrorKind::UnexpectedEof => truncated(),
                            _ => Error::system(&e, "read"),
                        })?;
                        out.extend_from_slice(&opened.block);
                        self.read += opened.block.len() as u64;
                        self.state = State::Open(opened);
                        return Poll::Ready(Ok(true));
                    }
                },
                State::Over => return Poll::Ready(Ok(false)),
            }
        }
    }
}

impl Opened {
    fn new(path: &Path) -> Result<Self> {
        let fault = |e: io::Error| Error::system(&e, "open");
        // Opening a device may do something to it.
        regular(&std::fs::metadata(path).map_err(fault)?)?;
        let mut options = File::options();
        options.read(true);
        // If it has become a pipe by now, this does not wait for somebody who writes.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
        let file = options.open(path).map_err(fault)?;
        let size = regular(&file.metadata().map_err(fault)?)?;
        Ok(Opened { file, size, block: Vec::new() })
    }

    fn fill(&mut self, length: usize) -> io::Result<()> {
        self.block.resize(length, 0);
        self.file.read_exact(&mut self.block)
    }
}

/// The size of a regular file.
fn regular(found: &Metadata) -> Result<u64> {
    if found.is_dir() {
        // Of reading, where the system opens it; on Windows it has another name.
        let named = Error::new("EISDIR", "open EISDIR");
        return Err(Error { syscall: Some("open"), errno: libc::EISDIR, ..named });
    }
    match found.is_file() {
        true => Ok(found.len()),
        false => Err(Error::new("ERR_C4TLS_NOT_A_FILE", "Only regular files can be sent")),
    }
}

fn truncated() -> Error {
    Error::new("ERR_C4TLS_FILE_TRUNCATED", "The file has become shorter while it was sent")
}

fn broken() -> Error {
    Error::new("ERR_C4TLS_RUNTIME", "The thread that read the file failed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Write;
    use tempfile::{NamedTempFile, TempDir};

    /// The file's bytes, by block, and the outcome.
    fn all(path: &Path, mut at_block: impl FnMut(usize)) -> (Vec<u8>, Result<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let mut source = FileSource::new(path.into());
        let mut out = Vec::new();
        let mut blocks = 0;
        let outcome = runtime.block_on(async {
            while poll_fn(|cx| source.poll_block(runtime.handle(), cx, &mut out)).await? {
                blocks += 1;
                at_block(blocks);
            }
            Ok(())
        });
        assert_eq!(source.read(), out.len() as u64);
        (out, outcome)
    }

    fn scratch(bytes: &[u8]) -> NamedTempFile {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_comes_in_blocks() {
        for length in [0, 1, limits::FILE_BLOCK, limits::FILE_BLOCK + 1, 3 * limits::FILE_BLOCK] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let file = scratch(&bytes);
            let mut blocks = 0;
            let (read, outcome) = all(file.path(), |number| {
                blocks = number;
                // What is added meanwhile does not count.
                file.as_file().write_all(b"more").unwrap();
            });
            assert!(read == bytes && outcome.is_ok());
            assert_eq!(blocks, length.div_ceil(limits::FILE_BLOCK));
        }
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let file = scratch(&[7; 4 * limits::FILE_BLOCK]);
        let shrink = |_| file.as_file().set_len(limits::FILE_BLOCK as u64 + 1).unwrap();
        let (read, outcome) = all(file.path(), shrink);
        assert_eq!(read, [7; limits::FILE_BLOCK]);
        assert_eq!(outcome.unwrap_err().code, "ERR_C4TLS_FILE_TRUNCATED");
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let code = |path: &Path| all(path, |_| {}).1.unwrap_err().code;
        assert_eq!(code(Path::new("/no/such/file")), "ENOENT");
        assert_eq!(code(&std::env::temp_dir()), "EISDIR");
        assert_eq!(code(Path::new("a\0b")), "EINVAL");
        #[cfg(unix)]
        {
            assert_eq!(code(Path::new("/dev/zero")), "ERR_C4TLS_NOT_A_FILE");
            let directory = TempDir::new().unwrap();
            let path = directory.path().join("pipe");
            let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
            // SAFETY: the name is zero-terminated.
            assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
            assert_eq!(code(&path), "ERR_C4TLS_NOT_A_FILE");
        }
    }
}
