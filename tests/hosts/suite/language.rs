//! What each language needs, and how its host is built.
//!
//! A tool that is missing is no failure here; a host that does not build is. Tools that are not on the path lie where
//! `.ci/hosts` puts them: `target/hosts`, or the folder that `CONNECTOR_TEST_HOST_TOOLS` names.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use host_harness::connector::DoorKind;
use host_harness::library::{connector_library, library_file_name};

use crate::run::Host;

mod windows; // the same for Windows, under Wine

/// One way to load the library.
#[derive(Debug)]
pub(crate) struct Language {
    /// As `CONNECTOR_TEST_HOSTS` names it.
    pub(crate) id: &'static str,
    /// As people name it.
    pub(crate) name: &'static str,
    prepare: fn(&Workshop) -> Result<Host, Unready>,
}

/// Why a host cannot run.
#[derive(Debug)]
pub(crate) enum Unready {
    /// This tool is not on this machine.
    ToolsMissing(String),
    /// The tools are there and the host does not build.
    Broken(String),
}

/// Folders of this run of the suite.
#[derive(Debug)]
pub(crate) struct Workshop {
    root: tempfile::TempDir,
    /// Where `.ci/hosts` puts what is no system package.
    pub(crate) tools: PathBuf,
}

impl Language {
    const ALL: [Language; 11] = [
        Language { id: "rust", name: "Rust, abi_stable door", prepare: |_| Ok(Host::Door(DoorKind::AbiStable)) },
        Language { id: "c", name: "C", prepare: |shop| c(shop, "c", &header("../../include/connector.h")) },
        // Built when 1.0 was released.
        Language {
            id: "c-1.0",
            name: "C, frozen header 1.0",
            prepare: |shop| c(shop, "c-1.0", &header("../abi/connector-1.0.h")),
        },
        Language { id: "c-later", name: "C, larger structs", prepare: c_later },
        Language { id: "cpp", name: "C++", prepare: cpp },
        Language { id: "mono", name: "C# on Mono", prepare: mono },
        Language { id: "coreclr", name: "C# on CoreCLR", prepare: core_clr },
        Language { id: "python", name: "Python", prepare: python },
        Language { id: "java", name: "Java", prepare: java },
        Language { id: "go", name: "Go", prepare: go },
        Language { id: "node", name: "Node", prepare: node },
    ];

    /// All that this machine is asked to judge.
    pub(crate) fn all() -> impl Iterator<Item = &'static Language> {
        Language::ALL.iter().chain(windows::languages())
    }

    /// Builds the host.
    pub(crate) fn prepare(&self, workshop: &Workshop) -> Result<Host, Unready> {
        (self.prepare)(workshop)
    }
}

impl Workshop {
    /// With a `Connectors` folder that holds the library under test.
    pub(crate) fn new() -> Workshop {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let tools = std::env::var_os("CONNECTOR_TEST_HOST_TOOLS").map_or_else(|| target.join("hosts"), PathBuf::from);
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("Connectors")).unwrap();
        let library = root.path().join("Connectors").join(library_file_name());
        fs::copy(connector_library().unwrap(), library).unwrap();
        Workshop { root, tools }
    }

    pub(crate) fn connectors(&self) -> PathBuf {
        self.root.path().join("Connectors")
    }

    /// A folder of that name, made if need be.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.path().join(name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(folder)
    }

    /// Where the host of a language is built.
    fn bench(&self, id: &str) -> PathBuf {
        self.folder(&format!("{id}/build")).unwrap()
    }

    /// A tool: where `.ci/hosts` puts it, else on the path.
    fn tool(&self, place: &str, name: &str) -> Result<OsString, Unready> {
        let own = self.tools.join(place);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(&path).map(|folder| folder.join(name));
        std::iter::once(own)
            .chain(on_path)
            .find(|file| file.is_file())
            .map(PathBuf::into_os_string)
            .ok_or_else(|| Unready::ToolsMissing(format!("{name} is not on this machine (.ci/hosts installs it)")))
    }

    /// A file that a host needs beside its tool.
    fn part(candidates: &[PathBuf]) -> Result<OsString, Unready> {
        candidates.iter().find(|it| it.exists()).map(|it| it.clone().into_os_string()).ok_or_else(|| {
            Unready::ToolsMissing(format!("{} is not on this machine (.ci/hosts installs it)", candidates[0].display()))
        })
    }
}

/// A file or folder in `tests/hosts`.
fn sources(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts").join(path)
}

/// Runs a compiler.
fn build(command: &mut Command) -> Result<(), Unready> {
    let output = command.output().map_err(|error| Unready::Broken(format!("{command:?}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(Unready::Broken(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&said))))
}

fn header(path: &str) -> String {
    fs::read_to_string(sources(path)).unwrap()
}

/// The C host in a folder with nothing but itself and a header.
fn c(workshop: &Workshop, id: &str, header: &str) -> Result<Host, Unready> {
    let bench = workshop.bench(id);
    fs::write(bench.join("connector.h"), header).unwrap();
    fs::copy(sources("c/host.c"), bench.join("host.c")).unwrap();
    let mut cc = Command::new(workshop.tool("", "cc")?);
    cc.args([
        "-std=c99",
        "-D_POSIX_C_SOURCE=200809L",
        "-Wall",
        "-Wextra",
        "-pedantic",
        "-Wconversion",
        "-Werror",
        "-I.",
    ]);
    build(cc.args(["host.c", "-o", "host", "-ldl", "-pthread"]).current_dir(&bench))?;
    Ok(Host::Program(vec![bench.join("host").into()]))
}

/// A host that is built against a header of a later minor version: every struct has a tail that we do not know.
fn c_later(workshop: &Workshop) -> Result<Host, Unready> {
    let mut header = header("../../include/connector.h");
    for name in ["callbacks", "options", "batch", "progress"] {
        let end = format!("}} connector_{name};");
        assert_eq!(header.matches(&end).count(), 1, "{end}");
        header = header.replace(&end, &format!("uint64_t of_a_later_version[5];\n{end}"));
    }
    c(workshop, "c-later", &header)
}

fn cpp(workshop: &Workshop) -> Result<Host, Unready> {
    let program = workshop.bench("cpp").join("host");
    let mut compiler = Command::new(workshop.tool("", "c++")?);
    compiler.args(["-std=c++17", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I"]).arg(sources("../../include"));
    build(compiler.arg(sources("cpp/host.cpp")).arg("-o").arg(&program).args(["-ldl", "-pthread"]))?;
    Ok(Host::Program(vec![program.into()]))
}

/// The C# host as one assembly for both runtimes.
fn c_sharp(workshop: &Workshop) -> Result<PathBuf, Unready> {
    let program = workshop.bench("csharp").join("Host.exe");
    if !program.exists() {
        let mut mcs = Command::new(workshop.tool("", "mcs")?);
        mcs.args(["-unsafe", "-langversion:7", "-warnaserror"]).arg(format!("-out:{}", program.display()));
        build(mcs.arg(sources("csharp/Host.cs")).arg(sources("csharp/Connector.cs")))?;
        fs::copy(sources("csharp/Host.runtimeconfig.json"), program.with_file_name("Host.runtimeconfig.json")).unwrap();
    }
    Ok(program)
}

fn mono(workshop: &Workshop) -> Result<Host, Unready> {
    let runtime = workshop.tool("", "mono")?;
    Ok(Host::Program(vec![runtime, c_sharp(workshop)?.into()]))
}

fn core_clr(workshop: &Workshop) -> Result<Host, Unready> {
    let runtime = workshop.tool("dotnet/dotnetcore2/bin/dotnet", "dotnet")?;
    let program = c_sharp(workshop)?;
    let config = program.with_file_name("Host.runtimeconfig.json");
    Ok(Host::Program(vec![runtime, "exec".into(), "--runtimeconfig".into(), config.into(), program.into()]))
}

fn python(workshop: &Workshop) -> Result<Host, Unready> {
    let copy = workshop.bench("python").join("host.py");
    fs::copy(sources("python/host.py"), &copy).unwrap();
    // Without the packages of this machine and without the repository: the standard library is all it needs.
    Ok(Host::Program(vec![workshop.tool("", "python3")?, "-I".into(), "-S".into(), copy.into()]))
}

fn java(workshop: &Workshop) -> Result<Host, Unready> {
    let (java, compiler) = (workshop.tool("", "java")?, workshop.tool("", "javac")?);
    let jna = Workshop::part(&["/usr/share/java/jna.jar".into(), workshop.tools.join("jna.jar")])?;
    let classes = workshop.bench("java");
    let mut javac = Command::new(compiler);
    javac.args(["-Xlint:all", "-Werror", "--release", "11", "-encoding", "UTF-8", "-cp"]).arg(&jna);
    build(javac.arg("-d").arg(&classes).arg(sources("java/Host.java")).arg(sources("java/Connector.java")))?;
    let path = std::env::join_paths([classes.into_os_string(), jna]).unwrap();
    Ok(Host::Program(vec![java, "-cp".into(), path, "Host".into()]))
}

fn go(workshop: &Workshop) -> Result<Host, Unready> {
    let program = workshop.bench("go").join("host");
    let mut go = Command::new(workshop.tool("go/go/bin/go", "go")?);
    workshop.tool("", "cc")?;
    // The cache beside the tools: the standard library is compiled once.
    go.env("GOCACHE", workshop.tools.join("go-cache")).env("GOTOOLCHAIN", "local").env("CGO_ENABLED", "1");
    build(go.current_dir(sources("go")).args(["build", "-trimpath", "-o"]).arg(&program).arg("."))?;
    Ok(Host::Program(vec![program.into()]))
}

fn node(workshop: &Workshop) -> Result<Host, Unready> {
    let node = workshop.tool("", "node")?;
    Workshop::part(&[workshop.tools.join("node/node_modules/koffi")])?;
    // As a copy, so that its packages can lie beside it as `npm install` would put them.
    let bench = workshop.bench("node");
    for file in ["host.js", "connector.js"] {
        fs::copy(sources("node").join(file), bench.join(file)).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(workshop.tools.join("node/node_modules"), bench.join("node_modules")).unwrap();
    Ok(Host::Program(vec![node, bench.join("host.js").into()]))
}
