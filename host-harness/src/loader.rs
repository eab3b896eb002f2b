//! Opens a connector library and looks up the functions of the contract.
//!
//! Easy to get wrong: the order and the flags. `ConnectorAbiVersion` is asked before anything else is believed,
//! every symbol is resolved at once (`RTLD_NOW`, so a missing one is an error here and not a call to address zero
//! later), and a library that was opened is never closed: its threads may outlive every handle of ours.

#![expect(unsafe_code, reason = "dlopen and dlsym")]

use std::fmt;
use std::path::{Path, PathBuf};

use connector_abi::functions::{
    BufferReleaseFn, CheckAsyncFn, ConnectorAbiVersionFn, DescribeFn, ExportAsyncFn, ImportAsyncFn, OperationCancelFn,
    OperationNextFn, OperationProgressFn, OperationReleaseFn, OperationResultFn,
};
use connector_abi::status::{CONNECTOR_ABI_MAJOR, CONNECTOR_ABI_MINOR};
use libloading::Library;

/// The functions of one library, as `include/connector.h` declares them.
///
/// [`crate::connector::Connector`] wraps them safely. They are public for tests that misuse the boundary on purpose.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each member is the function of that name in include/connector.h")]
#[expect(non_snake_case, reason = "the names of the contract")]
pub struct RawFunctions {
    pub ConnectorAbiVersion: ConnectorAbiVersionFn,
    pub Describe: DescribeFn,
    pub ImportAsync: ImportAsyncFn,
    pub ExportAsync: ExportAsyncFn,
    pub CheckAsync: CheckAsyncFn,
    pub OperationNext: OperationNextFn,
    pub OperationCancel: OperationCancelFn,
    pub OperationProgress: OperationProgressFn,
    pub OperationResult: OperationResultFn,
    pub OperationRelease: OperationReleaseFn,
    pub BufferRelease: BufferReleaseFn,
}

/// Why a file is not a connector this host can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// The system cannot load the file: not a library, another processor, a missing dependency.
    NotALibrary(String),
    /// A library, but this function of the contract is not in it.
    MissingSymbol(&'static str),
    /// A connector for another major version of the contract; `(major, minor)` of its own.
    OtherMajor(u32, u32),
    /// The Rust door of a library whose types lie otherwise in memory than this host's; which, in abi_stable's words.
    OtherLayout(String),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::NotALibrary(reason) => write!(f, "not a loadable library: {reason}"),
            LoadError::MissingSymbol(name) => write!(f, "not a connector: it does not export {name}"),
            LoadError::OtherMajor(major, minor) => write!(
                f,
                "made for contract version {major}.{minor}; this host speaks {CONNECTOR_ABI_MAJOR}.{CONNECTOR_ABI_MINOR}"
            ),
            LoadError::OtherLayout(differences) => write!(
                f,
                "built against another layout of the Rust door than this host ({differences}): build the host again \
                 against the contract of this library, or load it through the C functions, which do not depend on it"
            ),
        }
    }
}

impl std::error::Error for LoadError {}

/// Opens the library at `path` for the rest of the process and resolves every function of the contract.
pub fn load(path: &Path) -> Result<RawFunctions, LoadError> {
    let path = absolute(path)?;
    let library: &'static Library = Box::leak(Box::new(open(&path)?));
    // SAFETY: the contract gives this symbol this type in every version of it.
    let version = unsafe { symbol::<ConnectorAbiVersionFn>(library, "ConnectorAbiVersion") }?;
    // SAFETY: the function takes nothing, allocates nothing and never fails.
    let theirs = unsafe { version() };
    if theirs >> 16 != CONNECTOR_ABI_MAJOR {
        return Err(LoadError::OtherMajor(theirs >> 16, theirs & 0xffff));
    }
    macro_rules! resolve {
        ($($name:ident: $type:ty),+ $(,)?) => {
            RawFunctions {
                ConnectorAbiVersion: version,
                // SAFETY: the major version is ours, and under it each of these symbols has the type named here.
                $($name: unsafe { symbol::<$type>(library, stringify!($name)) }?,)+
            }
        };
    }
    Ok(resolve! {
        Describe: DescribeFn,
        ImportAsync: ImportAsyncFn,
        ExportAsync: ExportAsyncFn,
        CheckAsync: CheckAsyncFn,
        OperationNext: OperationNextFn,
        OperationCancel: OperationCancelFn,
        OperationProgress: OperationProgressFn,
        OperationResult: OperationResultFn,
        OperationRelease: OperationReleaseFn,
        BufferRelease: BufferReleaseFn,
    })
}

/// The system's own words are in the source; what stands before them is only the name of the call.
fn not_a_library(error: &libloading::Error) -> LoadError {
    let words = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    LoadError::NotALibrary(words)
}

/// A bare file name would be searched for in the system's library folders.
fn absolute(path: &Path) -> Result<PathBuf, LoadError> {
    std::path::absolute(path).map_err(|error| LoadError::NotALibrary(error.to_string()))
}

#[cfg(unix)]
fn open(path: &Path) -> Result<Library, LoadError> {
    use libloading::os::unix::{Library as UnixLibrary, RTLD_LOCAL, RTLD_NOW};
    // SAFETY: loading runs the file's initialisers. That is what dropping a file into a connectors folder asks for.
    let library = unsafe { UnixLibrary::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    library.map(Library::from).map_err(|error| not_a_library(&error))
}

#[cfg(not(unix))]
fn open(path: &Path) -> Result<Library, LoadError> {
    // SAFETY: loading runs the file's initialisers. That is what dropping a file into a connectors folder asks for.
    unsafe { Library::new(path) }.map_err(|error| not_a_library(&error))
}

/// # Safety
/// `T` must be the function pointer type that the contract gives `name`.
unsafe fn symbol<T: Copy>(library: &'static Library, name: &'static str) -> Result<T, LoadError> {
    // SAFETY: the type is the caller's promise; the library is never closed, so the copied pointer stays good.
    unsafe { library.get::<T>(name) }.map(|found| *found).map_err(|_| LoadError::MissingSymbol(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::fake;

    #[test]
    fn text_file_is_refused_as_not_a_library() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libNotes.so");
        std::fs::write(&path, "not a library").unwrap();
        assert!(matches!(load(&path), Err(LoadError::NotALibrary(_))));
    }

    #[test]
    fn other_major_version_is_refused_before_anything_else_and_names_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = fake::compile(
            folder.path(),
            "Two",
            "#include <stdint.h>\nuint32_t ConnectorAbiVersion(void) { return 2u << 16; }",
        );
        let refused = load(&path).unwrap_err();
        assert_eq!(refused, LoadError::OtherMajor(2, 0));
        assert_eq!(refused.to_string(), "made for contract version 2.0; this host speaks 1.0");
    }

    #[test]
    fn missing_symbol_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = fake::compile(
            folder.path(),
            "Half",
            "#include <stdint.h>\nuint32_t ConnectorAbiVersion(void) { return 1u << 16; }",
        );
        assert_eq!(load(&path).unwrap_err(), LoadError::MissingSymbol("Describe"));
    }

    #[test]
    fn higher_minor_version_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let path = fake::connector(folder.path(), "Minor", "#define FAKE_VERSION ((1u << 16) | 7u)");
        assert!(load(&path).is_ok());
    }
}
