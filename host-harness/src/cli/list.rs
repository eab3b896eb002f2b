//! `list`: the connectors that the other commands would use, and why a file is none.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use serde_json::json;

use super::args::List;
use super::table::Table;
use super::{Console, connectors_folder};
use crate::connector::DoorKind;
use crate::discovery::{discover, judge};
use crate::library::connector_library;

pub(super) fn run(list: &List, console: &mut Console<'_>) -> Result<u8> {
    let (folder, found) = if let Some(folder) = connectors_folder(list.connectors.as_deref()) {
        let found = discover(&folder, DoorKind::C)?;
        (folder, found)
    } else {
        let library = connector_library()?;
        let folder = library.parent().map_or_else(PathBuf::new, Path::to_owned);
        (folder, vec![judge(library, DoorKind::C)])
    };
    let mut table = Table::new(&["File", "Connector", "Version", "Contract", ""]).widest(200);
    let mut usable = 0;
    for file in &found {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match &file.verdict {
            Ok(it) => {
                usable += 1;
                if list.json {
                    let (major, minor) = it.connector.abi_version();
                    let line = json!({"File": file.path, "Name": it.catalog.name, "Version": it.catalog.version,
                        "Abi": format!("{major}.{minor}"), "Refused": null});
                    writeln!(console.out, "{line}")?;
                }
                table.row([&name, &it.catalog.name, &it.catalog.version, &it.catalog.abi, "ready"]);
            }
            Err(reason) => {
                if list.json {
                    writeln!(console.out, "{}", json!({"File": file.path, "Refused": reason}))?;
                }
                table.row([&name, "-", "-", "-", &format!("refused: {reason}")]);
            }
        }
    }
    if !list.json {
        writeln!(console.out, "{}", folder.display())?;
        table.print(console.out)?;
    }
    if usable == 0 {
        bail!("no usable connector in {}: put the connector library there", folder.display());
    }
    Ok(0)
}
