//! A Rust host that was built against another layout is refused in words, before the first call.
//!
//! The module here is the one of `include/abi/root_module.rs` written down twice, by one macro: once as it is, which
//! must load (else the refusal would prove nothing but a difference in names), and once with one type changed.

use host_harness::connector::root_module;
use host_harness::library::connector_library;
use host_harness::loader::LoadError;

/// The root module with this type for the number of rows of a delivery.
macro_rules! host_built_with {
    ($name:ident, $row_count:ty) => {
        mod $name {
            #![allow(unreachable_pub, missing_docs, dead_code, reason = "a copy, for its layout alone")]
            #![expect(clippy::expl_impl_clone_on_copy, reason = "written by abi_stable's derive")]

            use abi_stable::StableAbi;
            use abi_stable::library::RootModule;
            use abi_stable::package_version_strings;
            use abi_stable::sabi_types::VersionStrings;
            use abi_stable::std_types::{RResult, RStr, RString, RVec};
            use connector_abi::root_module::{Counters, LogLine, Refusal, RunOptions};

            #[repr(C)]
            #[derive(StableAbi, Debug)]
            pub struct Delivery {
                pub status: i32,
                pub sequence: u64,
                pub row_count: $row_count,
                pub rows: RVec<u8>,
                pub checkpoint: RVec<u8>,
                pub log: RVec<LogLine>,
            }

            #[repr(C)]
            #[derive(StableAbi, Debug)]
            #[sabi(kind(Prefix(prefix_ref = ConnectorModuleRef)))]
            #[sabi(missing_field(panic))]
            pub struct ConnectorModule {
                pub abi_version: extern "C" fn() -> u32,
                pub describe: extern "C" fn() -> RString,
                pub import:
                    extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<u64, Refusal>,
                pub export:
                    extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<u64, Refusal>,
                pub check:
                    extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<u64, Refusal>,
                pub next: extern "C" fn(operation: u64, timeout_ms: u32) -> Delivery,
                pub cancel: extern "C" fn(operation: u64) -> i32,
                pub progress: extern "C" fn(operation: u64) -> RResult<Counters, i32>,
                pub result: extern "C" fn(operation: u64) -> RResult<RString, i32>,
                #[sabi(last_prefix_field)]
                pub release: extern "C" fn(operation: u64) -> i32,
            }

            impl RootModule for ConnectorModuleRef {
                abi_stable::declare_root_module_statics! {ConnectorModuleRef}
                const BASE_NAME: &'static str = "EntraId";
                const NAME: &'static str = "connector";
                const VERSION_STRINGS: VersionStrings = package_version_strings!();
            }
        }
    };
}

host_built_with!(alike, u64);
host_built_with!(changed, u32);

#[test]
fn a_host_built_against_another_layout_is_refused_in_words() {
    let library = connector_library().unwrap();
    let module = root_module::<alike::ConnectorModuleRef>(&library).unwrap();
    assert_eq!(module.abi_version()(), connector_abi::CONNECTOR_ABI_VERSION);

    let refused = root_module::<changed::ConnectorModuleRef>(&library).map(|_| ()).expect_err("it must not load");
    assert!(matches!(refused, LoadError::OtherLayout(_)), "{refused:?}");
    let words = refused.to_string();
    for needed in [
        "another layout",
        "next.row_count: mismatched type",
        "u32 here",
        "u64 in the library",
        "build the host again",
        "C functions",
    ] {
        assert!(words.contains(needed), "{needed:?} is missing: {words}");
    }
    assert!(words.len() < 500 && words.lines().count() == 1, "too much to read: {words}");
    let page = include_str!("../../../docs/contract.md").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains(&words), "docs/contract.md shows another line than this: {words}");
}
