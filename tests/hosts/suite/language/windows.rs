//! The library for Windows and its hosts, run under Wine: present when `CONNECTOR_TEST_WINDOWS` names the folder that
//! `.ci/windows` fills (`EntraId.dll`, and `dotnet/` with Microsoft's runtime for Windows). Wine's own variables
//! (`WINEPREFIX` and its kin) are that script's too.
//!
//! The sources of the hosts are those that run on Linux. Under Wine a path that begins with a slash is one of the drive
//! that the working folder is on, which is the whole of this file system; so paths need no translation.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use connector_abi::EXPORTS;
use host_harness::simulator::{Simulator, World};
use serde_json::json;

use super::{Language, Unready, Workshop, build, c_sharp, header, sources};
use crate::run::Host;

/// The one datum of the abi_stable door.
const ABI_STABLE_DATUM: &str = "_1as_0lib_1header_0root_bmodule_bloader";

const LANGUAGES: [Language; 2] = [
    Language { id: "windows-c", name: "C on Windows (Wine)", prepare: c },
    Language { id: "windows-coreclr", name: "C# on Windows (CoreCLR in Wine)", prepare: core_clr },
];

/// Both where the variable stands, else none.
pub(crate) fn languages() -> &'static [Language] {
    if folder().is_some() { &LANGUAGES } else { &[] }
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("CONNECTOR_TEST_WINDOWS").map(PathBuf::from)
}

/// A file in that folder.
fn part(name: &str) -> Result<PathBuf, Unready> {
    let file = folder().unwrap_or_default().join(name);
    let missing = || Unready::ToolsMissing(format!("{} is not there (.ci/windows puts it there)", file.display()));
    if file.is_file() { Ok(file.clone()) } else { Err(missing()) }
}

/// The program that runs Windows programs. Debian puts the 64-bit one where no path leads.
fn wine(workshop: &Workshop) -> Result<std::ffi::OsString, Unready> {
    workshop.tool("wine64", "wine64").or_else(|_| Workshop::part(&["/usr/lib/wine/wine64".into()]))
}

/// Beside the library for Linux: each host must take its own by the platform's file name.
fn put_library(workshop: &Workshop) -> Result<PathBuf, Unready> {
    let library = workshop.connectors().join("EntraId.dll");
    fs::copy(part("EntraId.dll")?, &library).unwrap();
    Ok(library)
}

/// A C program, built with MinGW into a folder of its own.
fn compiled(workshop: &Workshop, id: &str, source: &str) -> Result<PathBuf, Unready> {
    let program = workshop.bench(id).join("host.exe");
    fs::write(program.with_file_name("connector.h"), header("../../include/connector.h")).unwrap();
    let mut cc = Command::new(workshop.tool("", "x86_64-w64-mingw32-gcc")?);
    cc.args(["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-pthread", "-static", "-I"]);
    build(cc.arg(program.parent().unwrap()).arg(sources(source)).arg("-o").arg(&program))?;
    Ok(program)
}

fn c(workshop: &Workshop) -> Result<Host, Unready> {
    put_library(workshop)?;
    Ok(Host::Windows(vec![wine(workshop)?, compiled(workshop, "windows-c", "c/host.c")?.into()]))
}

/// The very assembly that runs on Linux.
fn core_clr(workshop: &Workshop) -> Result<Host, Unready> {
    put_library(workshop)?;
    let dotnet = part("dotnet/dotnetcore2/bin/dotnet.exe")?;
    let program = c_sharp(workshop)?;
    let config = program.with_file_name("Host.runtimeconfig.json");
    Ok(Host::Windows(vec![
        wine(workshop)?,
        dotnet.into(),
        "exec".into(),
        "--runtimeconfig".into(),
        config.into(),
        program.into(),
    ]))
}

/// What every 64-bit Windows 10 and Server 2016 has. A DLL of the compiler's own (libgcc, winpthread) is not among
/// them.
const SYSTEM: [&str; 9] = [
    "advapi32.dll",
    "api-ms-win-core-synch-l1-2-0.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "crypt32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "ws2_32.dll",
];

#[test]
fn a_library_for_windows_exports_the_contract_and_needs_only_the_system() {
    if folder().is_none() {
        return; // .ci/windows asks for it
    }
    let library = part("EntraId.dll").unwrap_or_else(|error| panic!("{error:?}"));
    let output = Command::new("x86_64-w64-mingw32-objdump").arg("-p").arg(library).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();

    let table = told.split("[Ordinal/Name Pointer] Table").nth(1).expect("a table of exports");
    let mut exported: Vec<&str> =
        table.lines().skip(1).map_while(|line| line.split_once(']')).map(|(_, name)| name.trim()).collect();
    exported.sort_unstable();
    let mut expected: Vec<&str> = EXPORTS.iter().copied().chain([ABI_STABLE_DATUM]).collect();
    expected.sort_unstable();
    assert_eq!(exported, expected);

    let needed: Vec<String> =
        told.lines().filter_map(|line| line.trim().strip_prefix("DLL Name: ")).map(str::to_lowercase).collect();
    assert!(needed.contains(&"kernel32.dll".to_owned()), "{needed:?}");
    assert!(needed.iter().all(|name| SYSTEM.contains(&name.as_str())), "{needed:?}");

    // Its place in memory cannot be foretold, and data is not run.
    for protection in ["HIGH_ENTROPY_VA", "DYNAMIC_BASE", "NX_COMPAT"] {
        assert!(told.contains(protection), "{protection}");
    }
}

#[test]
fn a_library_for_windows_stays_when_its_handle_is_freed() {
    if folder().is_none() {
        return; // .ci/windows asks for it
    }
    let workshop = Workshop::new();
    let ready = |result: Result<PathBuf, Unready>| result.unwrap_or_else(|error| panic!("{error:?}"));
    let library = ready(put_library(&workshop));
    let program = ready(compiled(&workshop, "windows-unload", "../windows/unload.c"));
    let sim = Simulator::start(World::gentle()).unwrap();
    let texts = workshop.folder("windows-unload").unwrap();
    let config = json!({"TenantId": sim.tenant_id(), "GraphEndpoint": sim.origin(), "AuthorityHost": sim.origin()});
    let auth = json!({"Mode": "ClientSecret", "ClientId": sim.client_id(), "ClientSecret": sim.client_secret()});
    fs::write(texts.join("config.json"), config.to_string()).unwrap();
    fs::write(texts.join("auth.json"), auth.to_string()).unwrap();
    let mut command = Command::new(wine(&workshop).unwrap_or_else(|error| panic!("{error:?}")));
    command.arg(program).arg(library).arg(texts.join("config.json")).arg(texts.join("auth.json"));
    let output = command.current_dir(&texts).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}\n{said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    assert!(said.contains(" rows with the handle freed"), "{said}");
}
