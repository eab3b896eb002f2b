//! The symbol table: exactly the contract, and the marks that keep the library in memory.

use std::process::Command;

use connector_abi::EXPORTS;
use host_harness::library::connector_library;

/// The one datum of the abi_stable door.
const ABI_STABLE_DATUM: &str = "_1as_0lib_1header_0root_bmodule_bloader";

fn output(program: &str, args: &[&str]) -> String {
    let library = connector_library().unwrap();
    let output =
        Command::new(program).args(args).arg(library).output().expect("binutils are installed with the C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn the_library_exports_the_contract_and_nothing_else() {
    let table = output("nm", &["-D", "--defined-only"]);
    let mut found: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().next_back()).collect();
    found.sort_unstable();
    let mut expected: Vec<&str> = EXPORTS.iter().copied().chain([ABI_STABLE_DATUM]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[cfg(target_os = "linux")]
#[test]
fn the_library_pins_itself_and_knows_its_name() {
    let dynamic = output("readelf", &["-d"]);
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
    assert!(dynamic.contains("[libEntraId.so]"), "{dynamic}");
    for needed in dynamic.lines().filter(|l| l.contains("(NEEDED)")) {
        let known = ["libgcc_s.so", "libc.so", "ld-linux", "libm.so"].iter().any(|k| needed.contains(k));
        assert!(known, "no host need bring {needed}");
    }
}
