//! C programs in processes of their own, against a simulated tenant: what a host does wrong, and how it ends.
//!
//! The programs stand in `tests/boundary/`. The same tests run them under valgrind and AddressSanitizer: `.ci/valgrind` and
//! `.ci/address-sanitizer` set the variables below. A newcomer would put such a case into Rust; a process that dies takes
//! only its own test along here.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use host_harness::library::connector_library;
use serde_json::Value;

use crate::world::Tenant;

/// Words before every program: `valgrind --error-exitcode=99`.
const TOOL: &str = "CONNECTOR_TEST_TOOL";
/// Words for the C compiler: `-fsanitize=address`.
const FLAGS: &str = "CONNECTOR_TEST_CFLAGS";
/// Another build of the library than the one the tests make.
const LIBRARY: &str = "CONNECTOR_TEST_LIBRARY";

fn words(variable: &str) -> Vec<String> {
    std::env::var(variable).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn library() -> PathBuf {
    std::env::var_os(LIBRARY).map_or_else(|| connector_library().unwrap(), PathBuf::from)
}

/// A program of `tests/boundary/`, compiled, beside the two texts of its tenant.
pub(crate) struct Host {
    program: PathBuf,
    folder: PathBuf,
}

impl Host {
    pub(crate) fn new(name: &str, tenant: &Tenant) -> Host {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tenant.folder();
        std::fs::write(folder.join("config.json"), tenant.config()).unwrap();
        std::fs::write(folder.join("auth.json"), tenant.auth()).unwrap();
        let program = folder.join(name);
        let compiled = Command::new("cc")
            .args(["-std=c11", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror"])
            .args(words(FLAGS))
            .arg("-I")
            .arg(root.join("include"))
            .arg(root.join("tests/boundary").join(name).with_extension("c"))
            .arg("-o")
            .arg(&program)
            .args(["-ldl", "-pthread"])
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Host { program, folder }
    }

    /// Runs it on `library` with more arguments behind the two texts.
    pub(crate) fn run_on(&self, library: &Path, arguments: &[&str]) -> Output {
        let line: Vec<String> = words(TOOL).into_iter().chain([self.program.display().to_string()]).collect();
        Command::new(&line[0])
            .args(&line[1..])
            .arg(library)
            .args(["config.json", "auth.json"])
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }

    /// Runs it to a good end and answers what it says of itself.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.run_on(&library(), arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{:?}: {}\n{out}{err}", self.program, output.status);
        // What a tool says goes where a script can read it; a program of ours says nothing when all went well.
        eprint!("{err}");
        assert!(std::env::var_os(TOOL).is_some() || err.is_empty(), "{err}");
        eprintln!("{}", out.trim_end());
        serde_json::from_str(out.trim_end()).unwrap_or_else(|e| panic!("{e}: {out}"))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn every_misuse_is_answered_and_an_import_goes_well_among_them() {
    let tenant = Tenant::small();
    let said = Host::new("misuse", &tenant).run(&[]);
    assert_eq!((said["failed"].as_u64(), said["threads"].as_u64()), (Some(0), Some(1)));
    // A table that lost its rows would pass as well.
    assert!(said["checks"].as_u64().unwrap() > 1000, "{said}");
}
