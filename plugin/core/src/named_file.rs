//! Reads a file that one of the documents names: `CaFile`, `CertificateFile`, `PrivateKeyFile`, `TokenFile`.
//!
//! The path is an operator's, so it may be a pipe without a writer, a device, or a log of many gigabytes. Only a
//! regular file of a bounded size is read, and opening it never waits. The one mistake that is easy to make here: to
//! open the path and look at it then. The first waits for a pipe's writer, and opening a device can start it.

use std::fmt;
use std::fs::{FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// Room for a file whose length the system does not tell, such as those under `/proc`.
const UNKNOWN_LENGTH: u64 = 64 * 1024;

/// Why a file was not read. Its text says what is at the path; it shows neither the path nor what the file holds.
#[derive(Debug)]
pub enum Refused {
    /// It is something else than a regular file.
    Kind(&'static str),
    /// It is larger than this number of bytes.
    TooLarge(u64),
    /// The system refused.
    System(io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Kind(kind) => f.write_str(kind),
            Refused::TooLarge(largest) if largest % (1 << 20) == 0 => {
                write!(f, "a file of more than {} MiB", largest >> 20)
            }
            Refused::TooLarge(largest) => write!(f, "a file of more than {} KiB", largest >> 10),
            Refused::System(error) => write!(f, "a path that cannot be read ({error})"),
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::System(error)
    }
}

/// Reads a regular file of at most `largest` bytes. Links are followed.
pub fn read(path: &Path, largest: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
    regular(&std::fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Something else may have taken the path's place meanwhile; then neither this nor a read waits.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let expected = if metadata.len() == 0 { UNKNOWN_LENGTH } else { metadata.len() };
    let mut bytes = Zeroizing::new(Vec::new());
    // In one piece: a buffer that grows leaves copies of itself behind.
    bytes.reserve_exact(usize::try_from(expected.min(largest) + 2).unwrap_or_default());
    file.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest { Err(Refused::TooLarge(largest)) } else { Ok(bytes) }
}

fn regular(metadata: &Metadata) -> Result<(), Refused> {
    if metadata.is_file() { Ok(()) } else { Err(Refused::Kind(kind(metadata.file_type()))) }
}

#[cfg(unix)]
fn kind(file: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if file.is_dir() {
        "a directory"
    } else if file.is_fifo() {
        "a named pipe"
    } else if file.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn kind(file: FileType) -> &'static str {
    if file.is_dir() { "a directory" } else { "no regular file" }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn refusal(path: impl AsRef<Path>, largest: u64) -> String {
        read(path.as_ref(), largest).unwrap_err().to_string()
    }

    /// A folder that the operating system gives this test alone.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("entra-id-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            std::fs::create_dir(&folder).unwrap();
            Folder(folder)
        }

        fn with(&self, name: &str, content: &[u8]) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, content).unwrap();
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn file_up_to_the_limit_is_read_and_one_byte_more_is_refused() {
        let folder = Folder::new("named-file-limit");
        let file = folder.with("file", &[7; 2048]);
        assert_eq!(*read(&file, 2048).unwrap(), [7; 2048]);
        assert_eq!(refusal(&file, 2047), "a file of more than 1 KiB");
    }

    #[test]
    fn missing_file_is_refused_with_the_systems_words() {
        assert!(refusal("/nonexistent/file", 1).starts_with("a path that cannot be read ("));
    }

    #[test]
    fn directory_is_refused() {
        assert_eq!(refusal(std::env::temp_dir(), 1 << 20), "a directory");
    }

    #[cfg(unix)]
    #[test]
    fn pipe_without_writer_socket_and_device_are_refused_at_once() {
        let folder = Folder::new("named-file-kinds");
        let pipe = folder.0.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(refusal(&pipe, 1 << 20), "a named pipe");
        let socket = folder.0.join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert_eq!(refusal(&socket, 1 << 20), "a socket");
        assert_eq!(refusal("/dev/zero", 1 << 20), "a device");
        let link = folder.0.join("link");
        std::os::unix::fs::symlink(&pipe, &link).unwrap();
        assert_eq!(refusal(&link, 1 << 20), "a named pipe");
    }

    /// The kernel calls these files regular, tells no length, and would let a reader wait.
    #[cfg(target_os = "linux")]
    #[test]
    fn file_of_unknown_length_is_read() {
        let read = read(Path::new("/proc/self/status"), 1 << 20).unwrap();
        assert!(read.starts_with(b"Name:"));
    }
}
