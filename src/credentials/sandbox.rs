//! Credential files that a program names by relative paths, which lead nowhere but into its own directories.

use std::io::{self, Read};
use std::path::PathBuf;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Bytes of a credential file at most: some hundred certificates.
pub const MAX_FILE: u64 = 1 << 20;

/// What stands in no name on one system or another, or means something to a shell or to Windows. Control characters
/// are refused besides.
const FORBIDDEN: &str = "\\<>*:\"|?~";

/// The directories in which relative paths are looked up.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    bases: Vec<Base>,
}

#[derive(Debug, Clone)]
struct Base {
    name: String,
    directory: PathBuf,
}

impl Sandbox {
    /// Named directories in the order of look-up; `NAME:/` before a path chooses one.
    pub fn new(bases: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        Sandbox { bases: bases.into_iter().map(|(name, directory)| Base { name, directory }).collect() }
    }

    /// The content of a regular file: of the first directory that has the path, or of the one that its prefix chooses.
    ///
    /// Errors, none of which shows a directory or the path:
    /// `ERR_C4TLS_PATH_REJECTED` for a path that is absolute, begins with `.`, has a `..` between slashes, a backslash,
    /// a control character or one of `< > * : " | ? ~`, or that a symbolic link takes out of its directory (links must
    /// be relative); `ERR_C4TLS_FILE_NOT_FOUND`; `ERR_C4TLS_FILE_UNREADABLE` for what is no regular file or may not be
    /// read; `ERR_C4TLS_FILE_TOO_LARGE` above [`MAX_FILE`].
    pub fn read(&self, path: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let (bases, path) = self.choose(path)?;
        for base in bases {
            match base.open(path) {
                Ok(file) => return read_all(file),
                Err(e) if is_absent(&e) => {}
                Err(e) => return Err(failure(&e)),
            }
        }
        let message = match bases {
            [] => "no directory is set in which the file could be looked up; give the PEM text or set one".to_owned(),
            bases => {
                let names: Vec<_> = bases.iter().map(|base| &*base.name).collect();
                format!("no such file in {}; give a path relative to it, or the PEM text", names.join(" or "))
            }
        };
        Err(Error::new("ERR_C4TLS_FILE_NOT_FOUND", message))
    }

    /// The directories that may hold the file, and the path in them.
    fn choose<'a>(&'a self, path: &'a [u8]) -> Result<(&'a [Base], &'a str)> {
        let path = std::str::from_utf8(path).map_err(|_| rejected("it is no UTF-8 text"))?;
        let chosen = self.bases.iter().enumerate().find_map(|(index, base)| {
            let rest = path.strip_prefix(&*base.name)?.strip_prefix(":/")?;
            Some((&self.bases[index..=index], rest))
        });
        let (bases, path) = chosen.unwrap_or((&self.bases, path));
        check(path)?;
        Ok((bases, path))
    }
}

fn check(path: &str) -> Result<()> {
    if path.is_empty() || path.ends_with('/') {
        return Err(rejected("it names no file"));
    }
    if path.starts_with('/') {
        return Err(rejected("it is absolute"));
    }
    if path.starts_with('.') {
        return Err(rejected("it begins with \".\""));
    }
    if path.split('/').any(|part| part == "..") {
        return Err(rejected("it has \"..\" between its slashes"));
    }
    if path.contains(|c: char| c.is_control() || FORBIDDEN.contains(c)) {
        return Err(rejected("it holds a control character or one of \\ < > * : \" | ? ~"));
    }
    // Windows takes these away from the end of a name, which would make another of it.
    if cfg!(windows) && path.split('/').any(|part| part.ends_with(['.', ' '])) {
        return Err(rejected("a name in it ends with \".\" or a space"));
    }
    Ok(())
}

impl Base {
    /// Opens below the directory, whoever moves links and names about meanwhile, and never waits: a pipe without a
    /// writer opens at once.
    fn open(&self, path: &str) -> io::Result<File> {
        let directory = Dir::open_ambient_dir(&self.directory, ambient_authority())?;
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
        }
        directory.open_with(path, &options)
    }
}

fn read_all(file: File) -> Result<Zeroizing<Vec<u8>>> {
    let facts = file.metadata().map_err(|e| failure(&e))?;
    if !facts.is_file() {
        return Err(unreadable("it is no regular file"));
    }
    let too_large = || {
        let message = format!("the file is larger than {MAX_FILE} bytes, more than certificates and a key need");
        Error::new("ERR_C4TLS_FILE_TOO_LARGE", message)
    };
    if facts.len() > MAX_FILE {
        return Err(too_large());
    }
    // One byte more than the file has, so that the buffer never moves and leaves a copy behind.
    let mut content = Zeroizing::new(vec![0; facts.len() as usize + 1]);
    let mut length = 0;
    loop {
        match (&file).read(&mut content[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(failure(&e)),
        }
        if length == content.len() {
            return Err(unreadable("it grew while it was read"));
        }
    }
    content.truncate(length);
    Ok(content)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn failure(error: &io::Error) -> Error {
    // cap-std's word for an attempt to leave the directory; the system's refusals have a number.
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
        return rejected("a symbolic link leads out of its directory");
    }
    let system = Error::system(error, "open");
    unreadable(&format!("the system says {}", system.code))
}

fn rejected(reason: &str) -> Error {
    let message = format!("the path is rejected: {reason}; give a path relative to one of the driver's directories");
    Error::new("ERR_C4TLS_PATH_REJECTED", message)
}

fn unreadable(reason: &str) -> Error {
    Error::new("ERR_C4TLS_FILE_UNREADABLE", format!("the file cannot be read: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    struct Place {
        root: tempfile::TempDir,
        sandbox: Sandbox,
    }

    /// `root/c4z`, `root/sandbox`, and `root/outside.pem`, which belongs to neither.
    fn place() -> Place {
        let root = tempfile::tempdir().unwrap();
        let base = |name: &str, folder: &str| {
            let directory = root.path().join(folder);
            fs::create_dir(&directory).unwrap();
            (name.to_owned(), directory)
        };
        let sandbox = Sandbox::new([base("C4Z", "c4z"), base("SANDBOX", "sandbox")]);
        fs::write(root.path().join("outside.pem"), "outside").unwrap();
        Place { root, sandbox }
    }

    impl Place {
        fn write(&self, path: &str, content: impl AsRef<[u8]>) {
            let path = self.root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn read(&self, path: &str) -> Result<String, String> {
            match self.sandbox.read(path.as_bytes()) {
                Ok(content) => Ok(String::from_utf8_lossy(&content).into_owned()),
                Err(e) => {
                    let root = self.root.path().to_str().unwrap();
                    assert!(!e.message.contains(root), "{e}");
                    Err(e.code.replace("ERR_C4TLS_", ""))
                }
            }
        }
    }

    fn rejected() -> Result<String, String> {
        Err("PATH_REJECTED".to_owned())
    }

    fn content(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    #[test]
    fn directories_are_looked_up_in_order_and_chosen_by_prefix() {
        let place = place();
        place.write("c4z/both.pem", "c4z");
        place.write("sandbox/both.pem", "sandbox");
        place.write("sandbox/keys/..own/server key.pem", "own");
        place.write("sandbox/empty", "");
        assert_eq!(place.read("both.pem"), content("c4z"));
        assert_eq!(place.read("C4Z:/both.pem"), content("c4z"));
        assert_eq!(place.read("SANDBOX:/both.pem"), content("sandbox"));
        assert_eq!(place.read("keys/..own/server key.pem"), content("own"));
        assert_eq!(place.read("keys/./..own//server key.pem"), content("own"));
        assert_eq!(place.read("empty"), content(""));
        for path in ["missing.pem", "C4Z:/keys/..own/server key.pem", "both.pem/below", "Both.pem2"] {
            assert_eq!(place.read(path), Err("FILE_NOT_FOUND".to_owned()), "{path}");
        }
        let nowhere = Sandbox::new([("C4Z".to_owned(), place.root.path().join("gone"))]);
        assert_eq!(nowhere.read(b"a.pem").unwrap_err().code, "ERR_C4TLS_FILE_NOT_FOUND");
        assert_eq!(Sandbox::default().read(b"a.pem").unwrap_err().code, "ERR_C4TLS_FILE_NOT_FOUND");
    }

    #[test]
    fn forbidden_paths_are_rejected_before_the_disk_is_asked() {
        let place = place();
        place.write("c4z/.hidden", "hidden");
        place.write("c4z/a/b.pem", "b");
        let outside = place.root.path().join("outside.pem");
        let absolute = outside.to_str().unwrap();
        let mut paths: Vec<String> = [
            "",
            ".",
            "..",
            "./a/b.pem",
            ".hidden",
            "../outside.pem",
            "a/../../outside.pem",
            "a/../a/b.pem",
            "a/..",
            "/etc/passwd",
            "//etc/passwd",
            "a/",
            "C4Z:/",
            "C4Z:/../outside.pem",
            "C4Z://etc/passwd",
            "C4Z:/.hidden",
            "C4Z:a/b.pem",
            "c4z:/a/b.pem",
            "C4Z:/SANDBOX:/a",
            "OTHER:/a/b.pem",
            "~/a",
            "C:/a",
            "a\\b.pem",
            "..\\a",
            absolute,
        ]
        .map(str::to_owned)
        .to_vec();
        paths.extend(FORBIDDEN.chars().chain(['\0', '\n', '\x1f', '\x7f', '\u{85}']).map(|c| format!("a{c}b.pem")));
        for path in paths {
            assert_eq!(place.read(&path), rejected(), "{path:?}");
        }
        assert_eq!(place.sandbox.read(b"a\xff.pem").unwrap_err().code, "ERR_C4TLS_PATH_REJECTED");
    }

    #[test]
    fn a_file_has_a_largest_size() {
        let place = place();
        place.write("c4z/most", vec![b'a'; MAX_FILE as usize]);
        place.write("c4z/more", vec![b'a'; MAX_FILE as usize + 1]);
        // As large as a file can be, without a byte on the disk.
        fs::File::create(place.root.path().join("c4z/huge")).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(place.read("most").unwrap().len(), MAX_FILE as usize);
        for path in ["more", "huge"] {
            assert_eq!(place.read(path), Err("FILE_TOO_LARGE".to_owned()), "{path}");
        }
    }

    #[test]
    fn a_directory_is_no_file() {
        let place = place();
        place.write("c4z/keys/a.pem", "a");
        assert_eq!(place.read("keys"), Err("FILE_UNREADABLE".to_owned()));
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::symlink;
        use std::sync::atomic::{AtomicBool, Ordering};

        use super::*;

        #[test]
        fn links_stay_inside() {
            let place = place();
            let path = |path: &str| place.root.path().join(path);
            place.write("c4z/real/a.pem", "a");
            place.write("sandbox/link.pem", "the sandbox's");
            symlink("real/a.pem", path("c4z/inside.pem")).unwrap();
            symlink("real", path("c4z/folder")).unwrap();
            symlink("../real/a.pem", path("c4z/real/up.pem")).unwrap();
            assert_eq!(place.read("inside.pem"), content("a"));
            assert_eq!(place.read("folder/a.pem"), content("a"));
            assert_eq!(place.read("real/up.pem"), content("a"));

            symlink("../outside.pem", path("c4z/link.pem")).unwrap();
            symlink(path("outside.pem"), path("c4z/absolute.pem")).unwrap();
            symlink("..", path("c4z/up")).unwrap();
            symlink("/", path("c4z/root")).unwrap();
            symlink("link.pem", path("c4z/twice.pem")).unwrap();
            let mut absolute = path("outside.pem").to_str().unwrap().to_owned();
            absolute.insert_str(0, "root");
            // Not even where the other directory has a file of the name.
            for path in ["link.pem", "absolute.pem", "up/outside.pem", "twice.pem", &absolute, "root/etc/passwd"] {
                assert_eq!(place.read(path), rejected(), "{path}");
            }
            symlink("loop.pem", path("c4z/loop.pem")).unwrap();
            symlink("nowhere", path("c4z/dangling.pem")).unwrap();
            assert_eq!(place.read("loop.pem"), Err("FILE_UNREADABLE".to_owned()));
            assert_eq!(place.read("dangling.pem"), Err("FILE_NOT_FOUND".to_owned()));
        }

        #[test]
        fn a_directory_may_itself_be_a_link() {
            let place = place();
            place.write("c4z/a.pem", "a");
            let link = place.root.path().join("link");
            symlink("c4z", &link).unwrap();
            let sandbox = Sandbox::new([("C4Z".to_owned(), link)]);
            assert_eq!(&sandbox.read(b"a.pem").unwrap()[..], b"a");
        }

        /// Whoever can write there may swap a directory and a link outwards at any moment.
        #[test]
        fn a_link_that_comes_and_goes_leads_nowhere() {
            let place = place();
            place.write("c4z/real/outside.pem", "inside");
            let path = |path: &str| place.root.path().join("c4z").join(path);
            symlink("..", path("link")).unwrap();
            symlink("real", path("shown")).unwrap();
            let done = AtomicBool::new(false);
            let seen: Vec<_> = std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        for (from, target) in [("a", ".."), ("b", "real")] {
                            symlink(target, path(from)).unwrap();
                            fs::rename(path(from), path("shown")).unwrap();
                        }
                    }
                });
                let seen = (0..5_000).map(|_| place.sandbox.read(b"shown/outside.pem").map_err(|e| e.code)).collect();
                done.store(true, Ordering::Relaxed);
                seen
            });
            for result in seen {
                match result {
                    Ok(text) => assert_eq!(&text[..], b"inside"),
                    Err(code) => assert_eq!(code, "ERR_C4TLS_PATH_REJECTED"),
                }
            }
        }

        #[test]
        fn pipes_sockets_and_devices_do_not_hold_up() {
            let place = place();
            let fifo = place.root.path().join("c4z/fifo");
            let name = std::ffi::CString::new(fifo.to_str().unwrap()).unwrap();
            // SAFETY: a C string that lives through the call.
            assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
            let _socket = std::os::unix::net::UnixListener::bind(place.root.path().join("c4z/socket")).unwrap();
            for path in ["fifo", "socket"] {
                assert_eq!(place.read(path), Err("FILE_UNREADABLE".to_owned()), "{path}");
            }
            let devices = Sandbox::new([("C4Z".to_owned(), PathBuf::from("/dev"))]);
            for path in [&b"zero"[..], b"null", b"tty"] {
                assert_eq!(devices.read(path).unwrap_err().code, "ERR_C4TLS_FILE_UNREADABLE");
            }
        }
    }
}
