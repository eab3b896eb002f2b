//! Compiles connector libraries from C for the tests of this package: the host's side of the boundary is tested against
//! the header itself, with no connector of ours involved.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `fake.c` with `macros` in front of it, as a library named after `name`.
pub(crate) fn connector(folder: &Path, name: &str, macros: &str) -> PathBuf {
    compile(folder, name, &format!("{macros}\n{}", include_str!("fake.c")))
}

/// `scripted.c`: a connector whose ConfigJson is its script.
pub(crate) fn scripted(folder: &Path) -> PathBuf {
    compile(folder, "Scripted", include_str!("scripted.c"))
}

/// A library named after `name` from any C source.
pub(crate) fn compile(folder: &Path, name: &str, source: &str) -> PathBuf {
    let file = folder.join(format!("{name}.c"));
    std::fs::write(&file, source).unwrap();
    let library = folder.join(format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX));
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include");
    let status = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(include)
        .arg("-o")
        .args([&library, &file])
        .status()
        .expect("a C compiler");
    assert!(status.success(), "the C compiler refused {name}.c");
    library
}
