//! Finds the connector library of this workspace: the one function that `demo` and the end-to-end tests call.
//!
//! The order is the point. Under cargo (the variable `CARGO` is set and the sources are there) the library is *built*,
//! even when a copy stands beside the executable: that copy may be older than the sources, and a test that runs it
//! proves nothing. Cargo answers within a fraction of a second when nothing changed. A harness that was installed
//! somewhere looks beside itself and into `Connectors/`.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

/// The package that makes the library, and the library's name in its manifest.
const PACKAGE: &str = "entra-id";
const TARGET: &str = "EntraId";

/// The profile of what is shipped.
const SHIPPED: &str = "dist";

type Found = OnceLock<Result<PathBuf, String>>;

fn once(found: &Found, profile: &str) -> Result<PathBuf> {
    found.get_or_init(|| find(profile).map_err(|error| format!("{error:#}"))).clone().map_err(|text| anyhow!(text))
}

/// Where the connector library is; builds it when this process runs under cargo. Asked once for each process.
pub fn connector_library() -> Result<PathBuf> {
    static FOUND: Found = Found::new();
    once(&FOUND, own_profile())
}

/// The library as it is shipped, for benchmarks. Cargo puts them beside programs of the profile `release`, whose
/// library is built without link-time optimisation.
pub fn shipped_library() -> Result<PathBuf> {
    static FOUND: Found = Found::new();
    once(&FOUND, SHIPPED)
}

/// The library's file name on this system: `libEntraId.so`, `EntraId.dll`, `libEntraId.dylib`.
pub fn library_file_name() -> String {
    format!("{}{TARGET}{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

/// The folders in which a host looks for connectors: `Connectors` where it was started, then beside the executable.
pub fn connector_folders() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("Connectors")];
    folders.extend(beside_executable().map(|folder| folder.join("Connectors")));
    folders
}

/// The profile of this program, so that `cargo run --release` does not run an unoptimised library. Cargo names the
/// folder of the profile `dist` after it; in any other folder the kind of build decides.
fn own_profile() -> &'static str {
    let folder = beside_executable().map(|folder| if folder.ends_with("deps") { folder.join("..") } else { folder });
    let is_shipped =
        folder.and_then(|folder| folder.canonicalize().ok()).is_some_and(|folder| folder.ends_with(SHIPPED));
    match (is_shipped, cfg!(debug_assertions)) {
        (true, _) => SHIPPED,
        (false, true) => "dev",
        (false, false) => "release",
    }
}

fn find(profile: &str) -> Result<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if let Some(cargo) = env::var_os("CARGO")
        && workspace.join("plugin/Cargo.toml").is_file()
    {
        return build(&cargo, &workspace, profile);
    }
    let file = library_file_name();
    let candidates: Vec<PathBuf> =
        beside_executable().into_iter().chain(connector_folders()).map(|folder| folder.join(&file)).collect();
    candidates.iter().find(|path| path.is_file()).cloned().with_context(|| {
        let looked = candidates.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        format!("no connector library: looked for {looked}; put it there, or run this program through cargo, which builds it")
    })
}

fn beside_executable() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_owned)
}

fn build(cargo: &OsString, workspace: &Path, profile: &str) -> Result<PathBuf> {
    let mut command = Command::new(cargo);
    command.current_dir(workspace).args([
        "build",
        "-p",
        PACKAGE,
        "--profile",
        profile,
        "--message-format=json-render-diagnostics",
    ]);
    // What cargo tells the program it runs about itself. Build scripts of dependencies (ring's) watch these variables,
    // and would run again at every turn between this cargo and the one outside.
    let inherited = |name: &OsString| {
        let name = name.to_string_lossy();
        name == "OUT_DIR" || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| name.starts_with(start))
    };
    env::vars_os().filter(|(name, _)| inherited(name)).for_each(|(name, _)| {
        command.env_remove(name);
    });
    let watched = stderr().is_terminal();
    if !watched {
        // Cargo's own progress is for terminals. Not `eprintln!`, which a test run hides.
        writeln!(
            stderr(),
            "making sure that the connector library is built (cargo build -p {PACKAGE}): minutes, the first time"
        )?;
    }
    command.stderr(if watched { Stdio::inherit() } else { Stdio::piped() });
    let answer = command.output().with_context(|| format!("cannot run {}", cargo.display()))?;
    if !answer.status.success() {
        stderr().write_all(&answer.stderr)?;
        bail!("the connector library could not be built (package {PACKAGE}): see cargo's messages above");
    }
    let file = library_file_name();
    String::from_utf8_lossy(&answer.stdout)
        .lines()
        .filter_map(artifact_files)
        .flatten()
        .find(|path| path.file_name().is_some_and(|name| name == file.as_str()))
        .with_context(|| format!("cargo built {PACKAGE} but named no file {file}"))
}

/// The files of one line of cargo's answer, when it speaks of the connector library.
fn artifact_files(line: &str) -> Option<Vec<PathBuf>> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["target"]["name"] != TARGET {
        return None;
    }
    let files = message["filenames"].as_array()?;
    Some(files.iter().filter_map(|file| file.as_str().map(PathBuf::from)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_is_taken_from_the_artifact_of_that_name_only() {
        let line =
            r#"{"reason":"compiler-artifact","target":{"name":"EntraId"},"filenames":["/t/debug/libEntraId.so"]}"#;
        assert_eq!(artifact_files(line), Some(vec![PathBuf::from("/t/debug/libEntraId.so")]));
        assert_eq!(artifact_files(&line.replace("EntraId", "Other")), None);
        assert_eq!(artifact_files("warning: something else"), None);
    }
}
