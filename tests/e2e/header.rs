//! The header: generated, frozen, and understood by every compiler we promise.

use std::path::Path;
use std::process::Command;

use connector_abi as abi;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compiles and answers the path of the program; `-c` in `flags` means just compile.
fn compile(compiler: &str, flags: &[&str], source: &Path, include: &str, out: &Path) {
    let output = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror"])
        .args(flags)
        .arg("-I")
        .arg(root().join(include))
        .arg(source)
        .arg("-o")
        .arg(out)
        .args(if flags.contains(&"-c") { &[][..] } else { &["-ldl"][..] })
        .output()
        .unwrap_or_else(|e| panic!("a C compiler is needed to build this project, and {compiler} cannot be run: {e}"));
    assert!(output.status.success(), "{compiler} {flags:?}:\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_checked_in_header_is_the_generated_one() {
    let generated = std::fs::read_to_string(concat!(env!("OUT_DIR"), "/connector.h")).unwrap();
    let checked_in = std::fs::read_to_string(root().join("include/connector.h")).unwrap();
    assert!(generated == checked_in, "rewrite it: CONNECTOR_WRITE_HEADER=1 cargo build -p connector-abi");
}

#[test]
fn every_frozen_header_still_stands_in_the_current_one() {
    let current = std::fs::read_to_string(root().join("include/connector.h")).unwrap();
    let code = |text: &str| -> Vec<String> {
        let mut in_comment = false;
        let lines = text.lines().filter(|line| {
            let comment = in_comment || line.trim_start().starts_with("/*");
            in_comment = comment && !line.contains("*/");
            !comment && !line.trim().is_empty()
        });
        lines.map(|l| l.split("/*").next().unwrap_or_default().trim().to_owned()).collect()
    };
    let current = code(&current);
    let files = std::fs::read_dir(root().join("tests/abi")).unwrap().map(|file| file.unwrap().path());
    let headers: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "h")).collect();
    assert!(!headers.is_empty());
    for header in headers {
        let frozen = code(&std::fs::read_to_string(&header).unwrap());
        let missing: Vec<_> = frozen.iter().filter(|line| !current.contains(line)).collect();
        assert!(
            missing.is_empty(),
            "{}: a released header only grows; these lines are gone: {missing:#?}",
            header.display()
        );
    }
}

#[test]
fn the_header_compiles_as_every_promised_c_and_cpp() {
    let folder = tempfile::tempdir().unwrap();
    let source = root().join("tests/c/constants.c");
    for standard in ["c99", "c11", "c17"] {
        compile(
            "cc",
            &[&format!("-std={standard}"), "-Wconversion", "-c"],
            &source,
            "include",
            &folder.path().join("c.o"),
        );
    }
    for standard in ["c++11", "c++17", "c++20"] {
        compile(
            "c++",
            &[&format!("-std={standard}"), "-x", "c++", "-c"],
            &source,
            "include",
            &folder.path().join("cpp.o"),
        );
    }
}

#[test]
fn constants_and_layout_in_c_are_those_in_rust() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("constants");
    compile("cc", &["-std=c99"], &root().join("tests/c/constants.c"), "include", &program);
    let printed = String::from_utf8(Command::new(program).output().unwrap().stdout).unwrap();
    let mut expected: Vec<(String, i128)> = vec![
        ("CONNECTOR_ABI_VERSION".into(), abi::CONNECTOR_ABI_VERSION.into()),
        ("CONNECTOR_NUL_TERMINATED".into(), abi::CONNECTOR_NUL_TERMINATED as i128),
        ("CONNECTOR_FOREVER".into(), abi::CONNECTOR_FOREVER.into()),
        ("CONNECTOR_MAX_INPUT".into(), abi::CONNECTOR_MAX_INPUT as i128),
        ("CONNECTOR_LOG_ERROR".into(), abi::CONNECTOR_LOG_ERROR.into()),
        ("CONNECTOR_LOG_WARN".into(), abi::CONNECTOR_LOG_WARN.into()),
        ("CONNECTOR_LOG_INFO".into(), abi::CONNECTOR_LOG_INFO.into()),
        ("CONNECTOR_LOG_DEBUG".into(), abi::CONNECTOR_LOG_DEBUG.into()),
        ("CONNECTOR_STATE_RUNNING".into(), abi::CONNECTOR_STATE_RUNNING.into()),
        ("CONNECTOR_STATE_SUCCEEDED".into(), abi::CONNECTOR_STATE_SUCCEEDED.into()),
        ("CONNECTOR_STATE_FAILED".into(), abi::CONNECTOR_STATE_FAILED.into()),
        ("CONNECTOR_STATE_CANCELLED".into(), abi::CONNECTOR_STATE_CANCELLED.into()),
        ("CONNECTOR_STATE_PARTIAL".into(), abi::CONNECTOR_STATE_PARTIAL.into()),
        ("sizeof(connector_buffer)".into(), size_of::<abi::Buffer>() as i128),
        ("sizeof(connector_callbacks)".into(), size_of::<abi::Callbacks>() as i128),
        ("sizeof(connector_options)".into(), size_of::<abi::Options>() as i128),
        ("sizeof(connector_batch)".into(), size_of::<abi::Batch>() as i128),
        ("sizeof(connector_progress)".into(), size_of::<abi::Progress>() as i128),
        ("connector_options.watermark".into(), std::mem::offset_of!(abi::Options, watermark) as i128),
        ("connector_options.max_batch_rows".into(), std::mem::offset_of!(abi::Options, max_batch_rows) as i128),
        ("connector_options.callbacks".into(), std::mem::offset_of!(abi::Options, callbacks) as i128),
        ("connector_callbacks.user_data".into(), std::mem::offset_of!(abi::Callbacks, user_data) as i128),
        ("connector_callbacks.wake".into(), std::mem::offset_of!(abi::Callbacks, wake) as i128),
        ("connector_batch.rows".into(), std::mem::offset_of!(abi::Batch, rows) as i128),
        ("connector_batch.checkpoint".into(), std::mem::offset_of!(abi::Batch, checkpoint) as i128),
        ("connector_progress.state".into(), std::mem::offset_of!(abi::Progress, state) as i128),
        ("connector_progress.elapsed_ms".into(), std::mem::offset_of!(abi::Progress, elapsed_ms) as i128),
    ];
    expected.extend(abi::STATUS_NAMES.iter().map(|(value, name, _)| ((*name).to_owned(), i128::from(*value))));
    expected.sort();
    let mut found: Vec<(String, i128)> = printed
        .lines()
        .map(|line| line.rsplit_once(' ').map(|(name, value)| (name.to_owned(), value.parse().unwrap())).unwrap())
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn codes_in_error_json_are_the_status_names_in_pascal_case() {
    for (_, name, code) in abi::STATUS_NAMES {
        let words = name.trim_start_matches("CONNECTOR_").trim_start_matches("E_").split('_');
        let pascal: String = words.map(|w| w[..1].to_owned() + &w[1..].to_lowercase()).collect();
        assert!(&pascal == code, "{name}: {code}");
    }
}
